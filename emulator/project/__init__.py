"""A Worker's directory: where it is, its entry point and packages, what to watch."""

from emulator.project.find import find_projects, name_clashes, open_projects
from emulator.project.project import Metering, Project, ProjectError, open_project

__all__ = [
    "Metering",
    "Project",
    "ProjectError",
    "find_projects",
    "name_clashes",
    "open_project",
    "open_projects",
]
