import { language } from "../../i18n";
import { CITY_TIME_ZONE } from "../../wall/format";
import type { Someone } from "./Duty";
import { d } from "./texts";

export interface Shift {
  starts_at: string;
  ends_at: string;
  people: Someone[];
  layer: string | null;
  override_id: string | null;
  gap: boolean;
}

const DAY_MS = 86_400_000;
const CITY_OFFSET_MS = 8 * 3600_000;
const DAYS = 14;
const SHADES = 6;

/** Fourteen days, a column each; a shift is as high as it is long, and its shade is its people's. */
export function Lanes({ shifts, now }: { shifts: readonly Shift[]; now: number }) {
  const first = Math.floor((now + CITY_OFFSET_MS) / DAY_MS) * DAY_MS - CITY_OFFSET_MS;
  const shades = new Map<string, number>();
  const shadeOf = (shift: Shift): number => {
    const key = shift.people.map((one) => one.person_id).join();
    if (!shades.has(key)) shades.set(key, shades.size % SHADES);
    return shades.get(key) as number;
  };
  return (
    <ol class="lanes">
      {Array.from({ length: DAYS }, (_, place) => first + place * DAY_MS).map((day) => (
        <li key={day} class={now >= day && now < day + DAY_MS ? "today" : ""}>
          <small>{nameOf(day)}</small>
          <div>
            {day === first && <span class="past" style={{ flexGrow: before(shifts[0], day) }} />}
            {shifts.map((shift) => ({ shift, part: within(shift, day) })).filter(({ part }) => part !== null).map(({ shift, part }) => (
              <span key={shift.starts_at} class={`${shift.gap ? "gap" : `shade-${shadeOf(shift)}`} ${shift.override_id === null ? "" : "swapped"}`}
                style={{ flexGrow: part as number }} title={`${shift.starts_at.slice(5, 16)} – ${shift.ends_at.slice(5, 16)}`}>
                {shift.gap ? d("gap") : shift.people.map((one) => one.name).join("、")}
              </span>
            ))}
          </div>
        </li>
      ))}
    </ol>
  );
}

/** Its share of a day, or null. */
function within(shift: Shift, day: number): number | null {
  const share = (Math.min(Date.parse(shift.ends_at), day + DAY_MS) - Math.max(Date.parse(shift.starts_at), day)) / DAY_MS;
  return share > 0 ? share : null;
}

/** The share of the first day that is over. */
function before(first: Shift | undefined, day: number): number {
  return first === undefined ? 0 : Math.max(0, (Date.parse(first.starts_at) - day) / DAY_MS);
}

function nameOf(day: number): string {
  const locale = language.value === "zh" ? "zh-CN" : "en-GB";
  const part = (options: Intl.DateTimeFormatOptions): string => new Intl.DateTimeFormat(locale, { timeZone: CITY_TIME_ZONE, ...options }).format(day);
  return `${part({ month: "numeric", day: "numeric" })} ${part({ weekday: "short" })}`;
}
