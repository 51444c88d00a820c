/** What a rule asks, in one line of the operator's language. */

import { exactSpan } from "./moment";
import { p } from "./page-texts";
import { seconds } from "./span";

export interface Limits {
  above?: number | null;
  below?: number | null;
  levels?: { above?: number | null; below?: number | null }[];
}

/** As `/v1/rules` has it; which of the kinds it is, is the one that is there. */
export interface Condition extends Limits {
  rate?: (Limits & { over: number }) | null;
  absent?: number | null;
  stuck?: { for: number } | null;
  compare?: (Limits & { with: string }) | null;
  week?: Limits | null;
  unusual?: Limits | null;
  forecast?: (Limits & { within?: number | string; deadband?: number }) | null;
  count?: { of: Condition; at_least: number | null; share: number | null } | null;
  all?: Condition[];
  any?: Condition[];
  not?: Condition | null;
}

/** `高于 8 / 9 m`; "" where there is no limit. */
export function limits(of: Limits, unit: string): string {
  const steps = of.levels?.length ? of.levels : [of];
  const said = steps.map((step) => step.above ?? step.below).filter((limit) => limit != null);
  if (said.length === 0) return "";
  const value = `${said.join(" / ")} ${unit}`.trim();
  return p(steps[0]?.above == null ? "below" : "above", { value });
}

export function condition(of: Condition, unit: string): string {
  if (of.rate) return p("kind_rate", { span: exactSpan(of.rate.over), limit: limits(of.rate, unit) });
  if (of.absent) return p("kind_absent", { span: exactSpan(of.absent) });
  if (of.stuck) return p("kind_stuck", { span: exactSpan(of.stuck.for) });
  if (of.compare) return p("kind_compare", { other: of.compare.with, limit: limits(of.compare, unit) });
  if (of.week) return p("kind_week", { limit: limits(of.week, unit) });
  if (of.unusual) return p("kind_unusual", { limit: limits(of.unusual, "") });
  if (of.forecast) return p("kind_forecast", { span: exactSpan(seconds(of.forecast.within ?? "6h")), limit: limits(of.forecast, unit) });
  if (of.count) {
    const bar = of.count.at_least ?? `${Math.round((of.count.share ?? 0) * 100)} %`;
    return p("kind_count", { bar, inner: condition(of.count.of, unit) });
  }
  if (of.all?.length) return of.all.map((one) => condition(one, unit)).join(p("kind_and"));
  if (of.any?.length) return of.any.map((one) => condition(one, unit)).join(p("kind_or"));
  if (of.not) return p("kind_not", { inner: condition(of.not, unit) });
  return limits(of, unit);
}
