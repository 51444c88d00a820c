/** Texts of the duty roster and of the performance report. */

import { messages } from "../../i18n";

const zh = {
  duty: "值班", duty_more: "此刻谁在岗、接下来十四天谁在岗；可临时换班。", now: "此刻在岗", gap: "无人在岗", until: "至 {at}", gaps: "十四天内有 {n} 分钟无人在岗", overridden: "换班", layer: "班次", swap: "换班", swap_title: "换班：{name}", who: "由谁值", from: "从", to: "到", reason: "理由", swap_go: "确认换班", take_back: "撤销换班", take_back_sure: "恢复原排班？", nobody_on: "（不选：有意留空）",
  today: "今天", people: "人员", contacts: "联系渠道", no_contacts: "没有联系渠道，呼叫不到", chains: "升级链", step_notify: "通知 {who}", step_wait: "等 {n} 分钟", step_repeat: "重复 {n} 次", no_rosters: "还没有排班表。", bad_span: "结束须晚于开始。", language: "消息语言", upcoming: "接下来的班次",

  report: "考核", report_more: "签收与办结用时、按时率；历史数据、被并入的与洪峰不计。", by: "按", by_department: "部门", by_area: "区域", by_category: "类别", days: "最近", n_days: "{n} 天", csv: "导出 CSV", name: "名称", opened: "立案", closed: "结案", mtta: "签收用时", mttr: "办结用时", median: "中位", p90: "九成在", on_time: "按时率", s_acknowledge: "签收", s_dispatch: "派遣", s_handle: "处置", s_verify: "核查", reopened: "重开率", none: "这段时间没有立案。", mean: "平均", total: "合计", unnamed: "未指定", resolved: "反馈",
};

const en: Record<keyof typeof zh, string> = {
  duty: "Duty", duty_more: "Who is on duty now, and in the next fourteen days; shifts can be swapped.", now: "On duty now", gap: "nobody", until: "until {at}", gaps: "Nobody is on duty for {n} minutes of the fourteen days", overridden: "swapped", layer: "Shift", swap: "Swap", swap_title: "Swap: {name}", who: "On duty instead", from: "From", to: "Until", reason: "Reason", swap_go: "Swap", take_back: "Take back", take_back_sure: "Back to the rotation?", nobody_on: "(nobody: a gap on purpose)",
  today: "today", people: "People", contacts: "Contacts", no_contacts: "no contact: cannot be reached", chains: "Escalation", step_notify: "tell {who}", step_wait: "wait {n} min", step_repeat: "again, {n} times", no_rosters: "There is no roster.", bad_span: "It must end later than it begins.", language: "Language", upcoming: "Next shifts",

  report: "Performance", report_more: "How long until acknowledged and resolved, and what share was on time; history, merged ones and floods do not count.", by: "By", by_department: "department", by_area: "area", by_category: "category", days: "Last", n_days: "{n} days", csv: "Export CSV", name: "Name", opened: "Opened", closed: "Closed", mtta: "To acknowledge", mttr: "To resolve", median: "median", p90: "90 % within", on_time: "On time", s_acknowledge: "ack.", s_dispatch: "dispatch", s_handle: "handle", s_verify: "verify", reopened: "Reopened", none: "Nothing opened in this span.", mean: "mean", total: "All", unnamed: "none", resolved: "Resolved",
};

export const d = messages<keyof typeof zh>(zh, en);
