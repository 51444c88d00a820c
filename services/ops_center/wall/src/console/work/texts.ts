/** Texts of what operators do beside the closed loop: why, silences, reports, merging, floods, sound. */

import { messages } from "../../i18n";

const zh = {
  silence: "静默", merge: "合并", report: "上报", sound: "声音",
  why: "为何立案", why_rule: "{title} · 第 {n} 版", why_for: "持续 {span} 后立案", why_at_once: "立即立案",
  why_reading: "{at} 观测值 {value}，越过阈值 {limit}", why_peak: "峰值 {value}", why_since: "自 {at} 起异常",
  why_person: "由人员上报，没有规则与读数。", why_flood: "短时间内大量告警，自动归并为一件。", rule_link: "查看规则", sensor_link: "查看感知点",
  alerts_n: "其中的告警（{n}）", raised: "触发", cleared_at: "{at} 恢复", still: "仍在持续", no_data: "数据中断", runbook: "处置要点",
  told: "通知", told_next: "下一次通知 {at}", told_nobody: "没有通知任何人", reports_n: "上报（{n}）", photo: "照片 {n}", heard_hotline: "热线", heard_patrol: "巡查", heard_citizen: "市民",

  silence_title: "静默：{title}", scope: "静默什么", scope_shelve: "只这一件", scope_subject: "同一规则、同一感知点", scope_area: "同一规则、本区", scope_rule: "同一规则、全市",
  scope_sensor: "此感知点的全部告警", until: "多久", minutes: "{n} 分钟", hours: "{n} 小时", reason: "理由",
  silence_more: "静默期间照常记录，不再通知；到期仍未恢复则补发。", preview: "预览", preview_busy: "正在计算影响…",
  preview_n: "近 24 小时内有 {n} 件会被静默，其中 {open} 件告警仍在持续", preview_none: "近 24 小时内没有会被静默的事件。",
  spared: "另有 {n} 件紧急事件不受影响：紧急告警只能点名静默。", whole: "全部", part: "部分告警", silence_go: "确认静默", ended_early: "已提前结束",
  too_long: "紧急事件最多搁置 1 小时。",
  silences: "静默", silences_more: "谁让什么安静、多久、为什么；记录永久保留。", state_active: "生效中", state_pending: "未开始", state_expired: "已结束",
  what: "对象", who: "何人", span: "时段", end_now: "提前结束", end_sure: "立即恢复通知？", no_silences: "没有静默。", every_state: "全部",
  kind_silence: "静默", kind_maintenance: "检修", kind_out_of_service: "停用", kind_shelving: "搁置",
  m_rule: "规则", m_metric: "指标", m_area: "区域", m_subject: "感知点", m_cause: "起因", m_priority: "级别",
  new_silence: "新建静默", from: "从", to: "到", kind: "类型", matchers: "匹配条件", matchers_hint: "可用 * 通配；多个值用空格分开；至少填写一项", anything: "至少填写一项条件。",

  merge_title: "合并事件", merge_more: "告警、上报与组成部分都归入主事件；被并入的事件随之结束，可拆分还原。", merge_into: "并入哪一件", merge_reason: "合并理由", merge_go: "合并 {n} 件", merge_pick: "搜索标题或编号",
  merge_none: "没有其他未结事件。",

  report_title: "登记上报", category: "类别", report_text: "情况描述", reporter: "来源", phone: "来电号码", phone_hint: "须经单独授权才可见，不进入时间线与推送", reference: "外部编号", reference_hint: "如 12345 工单号，重复提交不会重复立案",
  photos: "照片地址", photos_hint: "每行一个 https:// 地址", photos_bad: "请填写 http(s) 地址，每行一个。", place: "位置", place_hint: "点击地图，或填写经纬度", area: "区域", report_go: "登记", pick_place: "请点选位置或选择区域。",
  outcome_opened: "已立案", outcome_joined: "附近已有同类事件，已归入该事件", outcome_known: "该外部编号已登记过", open_it: "打开事件", another: "再登记一件", lon: "经度", lat: "纬度", component: "部件", event: "事件",

  marked: "已选 {n} 件", mark: "选择 {title}", mark_all: "全选", unmark: "取消选择", bulk_done: "{what}：完成 {done} 件", bulk_skipped: "{n} 件当前状态不适用", bulk_beaten: "{n} 件已被他人更新，请查看", bulk_failed: "{n} 件未成功", bulk_busy: "正在处理 {done} / {all}…",
  flood: "事件洪峰", flood_more: "10 分钟内新立案 {n} 件；顺序已固定，新到的排在同级之后。", flood_mark: "选中待签收的（{n}）", flood_view: "按区域与规则看", grouped: "{area} · {rule}", flood_groups: "归类",
  sound_on: "声音已开", sound_off: "声音已关", sound_wait: "点按任意处以启用声音",
};

export type WorkText = keyof typeof zh;

const en: Record<WorkText, string> = {
  silence: "Silence", merge: "Merge", report: "Report", sound: "Sound",
  why: "Why it was raised", why_rule: "{title} · version {n}", why_for: "raised after {span}", why_at_once: "raised at once",
  why_reading: "{at}: measured {value}, beyond the limit of {limit}", why_peak: "peak {value}", why_since: "wrong since {at}",
  why_person: "Reported by a person: there is no rule and no reading.", why_flood: "Many alerts within a short time, gathered into one.", rule_link: "Open rule", sensor_link: "Open sensor",
  alerts_n: "Alerts in it ({n})", raised: "raised", cleared_at: "cleared {at}", still: "still standing", no_data: "no data", runbook: "What to do",
  told: "Told", told_next: "next at {at}", told_nobody: "Nobody has been told", reports_n: "Reports ({n})", photo: "Photo {n}", heard_hotline: "hotline", heard_patrol: "patrol", heard_citizen: "citizen",

  silence_title: "Silence: {title}", scope: "What", scope_shelve: "this incident only", scope_subject: "same rule, same sensor", scope_area: "same rule, this district", scope_rule: "same rule, whole city",
  scope_sensor: "every alert of this sensor", until: "For how long", minutes: "{n} min", hours: "{n} h", reason: "Reason",
  silence_more: "What is silenced is recorded but tells nobody; if it still stands at the end, it is told then.", preview: "Preview", preview_busy: "Working out what it hides…",
  preview_n: "Of the last 24 h it hides {n} incidents, {open} with an alarm that still stands", preview_none: "Nothing of the last 24 hours would be silenced.",
  spared: "{n} urgent incidents are not affected: urgent alerts are silenced by name only.", whole: "whole", part: "some alerts", silence_go: "Silence", ended_early: "ended early",
  too_long: "An urgent incident can be shelved for one hour at most.",
  silences: "Silences", silences_more: "Who keeps what quiet, for how long, and why; none is ever deleted.", state_active: "in force", state_pending: "not begun", state_expired: "over",
  what: "What", who: "Who", span: "From – until", end_now: "End now", end_sure: "Tell people again from now on?", no_silences: "There is no silence.", every_state: "All",
  kind_silence: "silence", kind_maintenance: "maintenance", kind_out_of_service: "out of service", kind_shelving: "shelved",
  m_rule: "rule", m_metric: "metric", m_area: "area", m_subject: "sensor", m_cause: "cause", m_priority: "priority",
  new_silence: "New silence", from: "From", to: "Until", kind: "Kind", matchers: "What it is about", matchers_hint: "* stands for anything; several values are separated by spaces; give at least one field", anything: "Give at least one condition.",

  merge_title: "Merge incidents", merge_more: "Alerts, reports and parts go over to the one that stays; the others end with it, and can be split off again.", merge_into: "Into which", merge_reason: "Reason for merging", merge_go: "Merge {n}", merge_pick: "Search title or number",
  merge_none: "There is no other open incident.",

  report_title: "Enter a report", category: "Category", report_text: "What was seen", reporter: "From", phone: "Caller's number", phone_hint: "seen by a grant of its own only; in no timeline and no delivery", reference: "Your reference", reference_hint: "such as a 12345 ticket: sent twice, it opens one incident",
  photos: "Photo addresses", photos_hint: "one https:// address per line", photos_bad: "Give http(s) addresses, one per line.", place: "Place", place_hint: "Click the map, or type the coordinates", area: "Area", report_go: "Enter", pick_place: "Choose a place or an area.",
  outcome_opened: "An incident was opened", outcome_joined: "It joined an incident of the same kind near by", outcome_known: "This reference was entered before", open_it: "Open the incident", another: "Enter another", lon: "Longitude", lat: "Latitude", component: "component", event: "event",

  marked: "{n} selected", mark: "Select {title}", mark_all: "Select all", unmark: "Clear selection", bulk_done: "{what}: {done} done", bulk_skipped: "{n} not in a state for it", bulk_beaten: "{n} changed by others: look at them", bulk_failed: "{n} did not succeed", bulk_busy: "Working: {done} of {all}…",
  flood: "Incident flood", flood_more: "{n} new within 10 minutes; the order is frozen, new ones come last in their priority.", flood_mark: "Select the new ones ({n})", flood_view: "By area and rule", grouped: "{area} · {rule}", flood_groups: "Groups",
  sound_on: "Sound on", sound_off: "Sound off", sound_wait: "Click anywhere to let sound begin",
};

export const w = messages<WorkText>(zh, en);

export function knownWork(key: string): string {
  return key in zh ? w(key as WorkText) : key;
}
