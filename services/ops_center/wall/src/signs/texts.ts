/** Texts of the vital signs, on the wall and in the console. */

import { messages } from "../i18n";
import { number, scaled, span } from "../wall/format";
import type { Contribution } from "./signs";

const zh = {
  steady: "平稳", watch: "关注", strained: "承压", critical: "告急", unknown: "不明",
  index: "体征指数", why: "{domain}体征指数 {index},{band},查看原因",
  day: "较昨日", yesterday: "较昨日", last_week: "较上周", no_past: "昨日同时段无记录",
  n_normal: "正常 {n}", n_alarm: "告警 {n}", n_outside: "越限 {n}", n_silent: "失联 {n}", n_bad: "坏值 {n}", n_never: "未接入 {n}",
  alarm: "告警", outside: "越限", silent: "失联", bad: "坏值", above: "高出 {by}", below: "低 {by}",
  since: "已 {span}", since_least: "超过 {span}", all_well: "没有扣分的感知点", more: "另有 {n} 个感知点扣分",
  half_unheard: "超过一半的感知点没有消息,无法评价", loading: "正在加载…", failed: "暂时取不到原因",
};

const en: Record<keyof typeof zh, string> = {
  steady: "steady", watch: "watch", strained: "strained", critical: "critical", unknown: "unknown",
  index: "Vital sign", why: "{domain}: vital sign {index}, {band}; see why",
  day: "24 h", yesterday: "vs yesterday", last_week: "vs last week", no_past: "nothing kept of yesterday",
  n_normal: "{n} normal", n_alarm: "{n} in alarm", n_outside: "{n} out of range", n_silent: "{n} silent", n_bad: "{n} bad data", n_never: "{n} not connected",
  alarm: "alarm", outside: "out of range", silent: "silent", bad: "bad data", above: "{by} above", below: "{by} below",
  since: "for {span}", since_least: "for over {span}", all_well: "No sensor costs points", more: "{n} more sensors cost points",
  half_unheard: "More than half is silent: nobody can tell", loading: "Loading…", failed: "The reasons cannot be had now",
};

export const v = messages<keyof typeof zh>(zh, en);

/** 34.5 %LEL, or why there is none. */
export function reading({ cause, value, unit }: Contribution): string {
  const [figure, name] = scaled(value ?? NaN, unit);
  return cause === "silent" || cause === "bad" ? v(cause) : `${number(figure)} ${name}`;
}

/** How far outside, for how long. */
export function distance({ cause, outside_by, unit }: Contribution): string {
  if (outside_by === null || cause === "silent" || cause === "bad") return "";
  const by = `${number(Math.abs(outside_by))} ${scaled(0, unit)[1]}`;
  return v(outside_by > 0 ? "above" : "below", { by });
}

export function duration({ since, at_least }: Contribution, now: number): string {
  return since === null ? "" : v(at_least ? "since_least" : "since", { span: span(now - Date.parse(since)) });
}

/** ▲1.2, ▼0.4, or ＝. */
export function arrow(rise: number): string {
  return rise === 0 ? "＝" : `${rise > 0 ? "▲" : "▼"}${Math.abs(rise).toFixed(1)}`;
}
