// toLocaleString(), toLocaleDateString() and toLocaleTimeString() of dates, as en-US writes them, in any time zone.
// Some other locales have their order of numbers, but no names of months and days.
// https://tc39.es/ecma402/#sup-date.prototype.tolocalestring
(function (platform) {
  "use strict";
  const { apply } = Reflect;
  const { host } = platform;
  const { getTime } = Date.prototype;
  const DateClass = Date;

  const MONTHS = "January February March April May June July August September October November December".split(" ");
  const WEEKDAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");
  const SIZES = ["2-digit", "numeric"];
  const TEXTS = ["narrow", "short", "long"];
  const STYLES = ["full", "long", "medium", "short"];
  const VALUES = {
    weekday: TEXTS, year: SIZES, month: [...SIZES, ...TEXTS], day: SIZES, hour: SIZES, minute: SIZES, second: SIZES,
    hourCycle: ["h11", "h12", "h23", "h24"], dateStyle: STYLES, timeStyle: STYLES,
    timeZoneName: ["short", "long", "shortOffset", "longOffset", "shortGeneric", "longGeneric"],
  };
  const DATE_FIELDS = ["weekday", "year", "month", "day"];
  const TIME_FIELDS = ["hour", "minute", "second", "fractionalSecondDigits"];
  const numeric = (...names) => Object.fromEntries(names.map((name) => [name, "numeric"]));
  const DATE_STYLES = {
    full: { ...numeric("year", "day"), weekday: "long", month: "long" },
    long: { ...numeric("year", "day"), month: "long" },
    medium: { ...numeric("year", "day"), month: "short" },
    short: { ...numeric("month", "day"), year: "2-digit" },
  };
  const TIME_STYLES = {
    full: { ...numeric("hour", "minute", "second"), timeZoneName: "long" },
    long: { ...numeric("hour", "minute", "second"), timeZoneName: "short" },
    medium: numeric("hour", "minute", "second"),
    short: numeric("hour", "minute"),
  };

  // order and separator of numeric dates; whether days and months have two digits; what joins a date and a time; whether
  // the clock counts to 12, else whether its hours have two digits
  const EN_US = { order: ["month", "day", "year"], separator: "/", padded: false, join: ", ", cycle: "h12", noon: ["AM", "PM"] };
  const YEAR_FIRST = ["year", "month", "day"];
  const DAY_FIRST = ["day", "month", "year"];
  const OTHERS = [
    [/^zh(?!.*(?:hant|tw|hk|mo))/i, { order: YEAR_FIRST, separator: "/", join: " " }],
    [/^ja/i, { order: YEAR_FIRST, separator: "/", join: " ", loose: true }],
    [/^sv/i, { order: YEAR_FIRST, separator: "-", padded: true, join: " " }],
    [/^en-ca$/i, { order: YEAR_FIRST, separator: "-", padded: true, join: ", ", cycle: "h12", noon: ["a.m.", "p.m."] }],
    [/^en-gb$/i, { order: DAY_FIRST, separator: "/", padded: true, join: ", " }],
    [/^fr(?:-fr)?$/i, { order: DAY_FIRST, separator: "/", padded: true, join: " " }],
    [/^de(?:-de)?$/i, { order: DAY_FIRST, separator: ".", join: ", " }],
    [/^es(?:-es)?$/i, { order: DAY_FIRST, separator: "/", join: ", ", loose: true }],
  ];
  const localeOf = (locales, chosen) => {
    const tag = typeof locales === "string" ? locales : locales === undefined ? "" : `${Array.from(locales)[0] ?? ""}`;
    const known = OTHERS.find(([pattern]) => pattern.test(tag))?.[1];
    if (known === undefined || chosen.dateStyle !== undefined || chosen.timeStyle !== undefined) return EN_US;
    const shown = DATE_FIELDS.filter((name) => chosen[name] !== undefined);
    const plain = shown.length === 0 || (shown.length === 3 && !isText(chosen.month) && chosen.weekday === undefined);
    return plain ? { cycle: "h23", noon: EN_US.noon, ...known } : EN_US;
  };

  const LANGUAGE = /^[a-z]{2,3}(?:-[a-z\d]{1,8})*$|^x(?:-[a-z\d]{1,8})+$/i;
  const checkLocales = (locales) => {
    if (locales === undefined) return;
    if (locales === null) throw new TypeError("Cannot convert undefined or null to object");
    for (const tag of typeof locales === "string" ? [locales] : Array.from(locales)) {
      if (typeof tag !== "string" && Object(tag) !== tag) throw new TypeError("Incorrect locale information provided");
      if (!LANGUAGE.test(String(tag))) throw new RangeError(`Invalid language tag: ${tag}`);
    }
  };
  // Which fields are shown, each with its form. `needed` and `given` are "date", "time" or "any": what a method is
  // about, and what it shows when the options name nothing of that.
  const resolve = (options, needed, given, method) => {
    const chosen = {};
    for (const name of Object.keys(VALUES)) {
      const value = options[name];
      if (value === undefined) continue;
      chosen[name] = `${value}`;
      if (!VALUES[name].includes(chosen[name])) {
        throw new RangeError(`Value ${value} out of range for Date.prototype.${method} options property ${name}`);
      }
    }
    const digits = options.fractionalSecondDigits;
    if (digits !== undefined) {
      if (!(digits >= 1 && digits <= 3)) throw new RangeError("fractionalSecondDigits value is out of range.");
      chosen.fractionalSecondDigits = Math.floor(digits);
    }
    const has = (names) => names.some((name) => chosen[name] !== undefined);
    const { dateStyle, timeStyle } = chosen;
    if (dateStyle !== undefined || timeStyle !== undefined) {
      if (has([...DATE_FIELDS, ...TIME_FIELDS, "timeZoneName"])) throw new TypeError("Invalid option : option");
      if (needed === "date" && timeStyle !== undefined) throw new TypeError("Invalid option : timeStyle");
      if (needed === "time" && dateStyle !== undefined) throw new TypeError("Invalid option : dateStyle");
      return { ...chosen, ...DATE_STYLES[dateStyle], ...TIME_STYLES[timeStyle] };
    }
    if ((needed !== "time" && has(DATE_FIELDS)) || (needed !== "date" && has(TIME_FIELDS))) return chosen;
    const date = given === "time" ? {} : numeric("year", "month", "day");
    return { ...chosen, ...date, ...(given === "date" ? {} : numeric("hour", "minute", "second")) };
  };

  // ---- time zones ------------------------------------------------------------------------

  const OFFSET = /^([+-])([01]\d|2[0-3])(?::?([0-5]\d))?$/;
  const UTC = /^(?:utc|etc\/utc|gmt|etc\/gmt|zulu|etc\/zulu|universal|etc\/universal)$/i;
  // [minutes east of Greenwich, the short name, the long name]
  const zoneOf = (name, ms) => {
    if (name === undefined || UTC.test(name)) return [0, "UTC", "Coordinated Universal Time"];
    const offset = OFFSET.exec(name);
    if (offset !== null) {
      const minutes = (Number(offset[2]) * 60 + Number(offset[3] ?? 0)) * (offset[1] === "-" ? -1 : 1);
      return [minutes, shortOffset(minutes), shortOffset(minutes)];
    }
    const found = host.zoneAt(name, ms);
    if (found === null) throw new RangeError(`Invalid time zone specified: ${name}`);
    const [minutes, abbreviation] = found.split(" ");
    const known = /^(?:America|US|Pacific\/Honolulu)/i.test(name) && /^(?:[ECMP][SD]T|AK[SD]T|HST)$/.test(abbreviation);
    const short = known ? abbreviation : shortOffset(Number(minutes));
    return [Number(minutes), short, short];
  };
  const shortOffset = (minutes) => {
    if (minutes === 0) return "GMT";
    const size = Math.abs(minutes);
    const rest = size % 60 === 0 ? "" : `:${pad(size % 60)}`;
    return `GMT${minutes < 0 ? "-" : "+"}${Math.floor(size / 60)}${rest}`;
  };

  // ---- the text --------------------------------------------------------------------------

  const pad = (number, digits = 2) => String(number).padStart(digits, "0");
  const sized = (number, size) => (size === "2-digit" ? pad(number) : String(number));
  const named = (name, size) => (size === "long" ? name : name.slice(0, size === "short" ? 3 : 1));
  const isText = (month) => TEXTS.includes(month);
  const dateText = (at, { weekday, year, month, day }, locale) => {
    const shownYear = at.getUTCFullYear() > 0 ? at.getUTCFullYear() : 1 - at.getUTCFullYear();
    const parts = { year: year === "2-digit" ? pad(shownYear % 100) : String(shownYear) };
    const size = (form) => (locale.padded ? "2-digit" : form);
    parts.month = isText(month) ? named(MONTHS[at.getUTCMonth()], month) : sized(at.getUTCMonth() + 1, size(month));
    parts.day = sized(at.getUTCDate(), size(day));
    const forms = { month, day, year };
    const shown = locale.order.filter((name) => forms[name] !== undefined).map((name) => parts[name]);
    let text = shown.join(isText(month) ? " " : locale.separator);
    if (isText(month) && day !== undefined && year !== undefined) text = `${parts.month} ${parts.day}, ${parts.year}`;
    if (weekday === undefined) return text;
    const name = named(WEEKDAYS[at.getUTCDay()], weekday);
    return text === "" ? name : `${name}, ${text}`;
  };
  const timeText = (at, { hour, minute, second, fractionalSecondDigits }, cycle, locale) => {
    const parts = [];
    const hours = at.getUTCHours();
    if (hour !== undefined) {
      const shown = cycle === "h12" ? hours % 12 || 12 : cycle === "h11" ? hours % 12 : hours;
      parts.push((cycle === "h23" && !locale.loose) || hour === "2-digit" ? pad(shown) : String(shown));
    }
    const alone = [hour, minute, second].filter((form) => form !== undefined).length === 1;
    if (minute !== undefined) parts.push(alone ? String(at.getUTCMinutes()) : pad(at.getUTCMinutes()));
    if (second !== undefined) parts.push(alone ? String(at.getUTCSeconds()) : pad(at.getUTCSeconds()));
    let text = parts.join(":");
    if (fractionalSecondDigits !== undefined) {
      const fraction = pad(at.getUTCMilliseconds(), 3).slice(0, fractionalSecondDigits);
      text += text === "" ? fraction : `.${fraction}`;
    }
    return hour === undefined || cycle === "h23" ? text : `${text} ${locale.noon[hours < 12 ? 0 : 1]}`;
  };
  const cycleOf = (options, chosen, locale) => {
    if (options.hour12 !== undefined) return options.hour12 ? "h12" : "h23";
    return chosen.hourCycle === "h24" ? "h23" : (chosen.hourCycle ?? locale.cycle);
  };
  const format = (ms, locales, options, needed, given, method) => {
    const chosen = resolve(options, needed, given, method);
    const locale = localeOf(locales, chosen);
    const [minutes, short, long] = zoneOf(options.timeZone === undefined ? undefined : `${options.timeZone}`, ms);
    if (Number.isNaN(ms)) return "Invalid Date";
    const at = new DateClass(ms + minutes * 60000);
    const date = dateText(at, chosen, locale);
    const zone = chosen.timeZoneName === undefined ? "" : chosen.timeZoneName === "long" ? long : short;
    const time = [timeText(at, chosen, cycleOf(options, chosen, locale), locale), zone].filter((text) => text !== "").join(" ");
    if (date === "" || time === "") return date + time;
    const onlyWeekday = chosen.year === undefined && chosen.month === undefined && chosen.day === undefined;
    return date + (chosen.month === "long" ? " at " : onlyWeekday ? " " : locale.join) + time;
  };

  const method = (name, needed, given) => {
    const value = {
      [name](locales = undefined, options = undefined) {
        const ms = apply(getTime, this, []);
        checkLocales(locales);
        if (options === null) throw new TypeError(`Date.prototype.${name} called on null or undefined`);
        return format(ms, locales, options === undefined ? {} : Object(options), needed, given, name);
      },
    }[name];
    platform.wasmFunctions.set(value, name);
    Object.defineProperty(Date.prototype, name, { value, writable: true, configurable: true });
  };
  method("toLocaleString", "any", "any");
  method("toLocaleDateString", "date", "date");
  method("toLocaleTimeString", "time", "time");
});
