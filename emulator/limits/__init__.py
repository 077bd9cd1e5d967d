"""The limits of the platform's plans as data, and the plan that is in force for a Worker."""

from emulator.limits.choose import plan_for
from emulator.limits.plans import LIMITS, PLANS, Limit, Plan, plan_named

__all__ = ["LIMITS", "PLANS", "Limit", "Plan", "plan_for", "plan_named"]
