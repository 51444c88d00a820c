/** Why a reading is unusual for its series, in one line of the operator's language. Pure. */

import { language, messages } from "../i18n";
import { minute, number } from "./format";
import type { Unusual } from "../live/protocol";

const t = messages(
  {
    said: "{sign}：预期 {expected}，实测 {observed}；约每 {odds} 次读数一遇",
    since: "；自 {at} 起", spike: "超出以往", season: "与同时段不符", shift: "均值突变", slow_shift: "均值改变",
    drift: "缓慢漂移", restless: "波动异常", stuck: "数值不变（读数次数）", none: "已恢复",
  },
  {
    said: "{sign}: expected {expected}, observed {observed}; about one reading in {odds}",
    since: "; since {at}", spike: "Beyond the past", season: "Not as at this hour", shift: "Mean has shifted",
    slow_shift: "Mean has changed", drift: "Drifting", restless: "Unusual steps", stuck: "Stuck (readings)", none: "As usual again",
  },
);
const SIGNS = ["spike", "season", "shift", "slow_shift", "drift", "restless", "stuck"] as const;

export function unusual(found: Unusual): string {
  const sign = SIGNS.find((one) => one === found.sign);
  if (sign === undefined) return t("none");
  const said = t("said", {
    sign: t(sign), expected: number(found.expected), observed: number(found.observed), odds: rounded(found.odds),
  });
  return found.since === null ? said : said + t("since", { at: minute(Date.parse(found.since)) });
}

/** 31623 → 3万, 30K. */
function rounded(odds: number): string {
  const locale = language.value === "zh" ? "zh-CN" : "en";
  return new Intl.NumberFormat(locale, { notation: "compact", maximumSignificantDigits: 1 }).format(odds);
}
