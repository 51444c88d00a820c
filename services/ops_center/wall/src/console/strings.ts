/** The console's texts. */

import { gatheringEn, gatheringZh } from "../live/step-texts";
import { messages } from "../i18n";

const zh = {
  product: "一网", page: "事件处置台", main_nav: "页面",
  nav_incidents: "事件", nav_silences: "静默", nav_sensors: "感知点", nav_duty: "值班", nav_performance: "考核", nav_tasks: "任务", nav_vitals: "体征", nav_setup: "管理",
  nav_rules: "规则", nav_push: "推送", nav_keys: "密钥", nav_grants: "授权", nav_neighbours: "邻市", nav_quarantine: "隔离区", nav_catalogue: "数据", nav_users: "用户", nav_audit: "审计",
  wall: "大屏", help: "快捷键", log_out: "退出", log_in: "登录", to_light: "浅色", to_dark: "深色",
  language: "EN", language_title: "Switch to English",
  role_screen: "大屏", role_viewer: "只读", role_operator: "值班员", role_dispatcher: "调度员",
  role_admin: "管理员", "role_": "接口",
  live: "实时", connecting: "连接中", lost: "链路中断", refused: "凭证失效", data_age: "数据 {span}前", no_data: "暂无数据",
  lost_banner: "与服务器失去联系，画面停留在 {at}（{span}前），正在重连。",

  queue: "事件队列", stage: "阶段", stage_all: "未结", stage_open: "待签收", stage_working: "办理中",
  stage_resolved: "待核查", stage_closed: "已结案",
  priority: "级别", p1: "紧急", p2: "重要", p3: "一般", p4: "提示", only_priority: "只看{name}",
  area: "区域", every_area: "全部区域", search: "搜索标题、感知点、部门", clear: "清除筛选",
  shown: "{n} 件", shown_of: "{shown} / {all} 件", more: "再显示 {n} 件", load_more: "加载更多", loading: "正在加载…",
  none_open: "没有未结事件", none_open_more: "全市运行平稳。", none_match: "没有符合条件的事件",
  none_closed: "还没有结案的事件",
  open: "待签收", acknowledged: "已签收", dispatched: "已派遣", handling: "处置中", resolved: "待核查", closed: "已结案",
  active: "告警持续", cleared: "告警已恢复", none: "人工上报",
  overdue: "超时 {span}", due_in: "剩余 {span}", ago: "{span}前", historical: "历史数据",

  step_open: "立案", step_acknowledged: "签收", step_dispatched: "派遣", step_handling: "处置",
  step_resolved: "反馈", step_closed: "结案",
  acknowledge: "签收", dispatch: "派遣", start: "开始处置", resolve: "反馈", close: "核查结案", reopen: "重开",
  transfer: "转派", comment: "备注", regrade: "改级", dispatch_again: "改派", send_hint: "Ctrl+Enter 提交",
  department: "承办部门", department_hint: "选择部门",
  note_dispatch: "派遣理由", note_resolve: "处置结果", note_close: "结案理由", note_reopen: "重开理由",
  note_start: "说明", note_acknowledge: "说明", note_transfer: "转派理由", note_comment: "备注", note_regrade: "改级理由",
  optional: "可不填", required: "请填写{what}", confirm: "确认{what}", cancel: "取消", sending: "正在提交…",
  read_only: "当前身份只能查看，不能处置事件。", done: "{title}：{what}已完成",
  beaten: "有人先一步操作：{actor}已{what}。下面是最新状态。",
  beaten_unknown: "事件刚刚被他人更新。下面是最新状态。",
  failed: "{what}未成功。", dismiss: "知道了",

  pick: "选择一个事件", pick_more: "用 J / K 或点击左侧列表查看事实、趋势与办理过程。",
  gone: "找不到这个事件。",
  detail: "事件详情", facts: "事实", measured: "触发值", expected_value: "预计值", now_value: "当前值", threshold: "阈值", metric: "指标", subject: "感知点", opened_at: "立案时间",
  observed_at: "观测时间", deadline: "办理时限", rule: "规则", grade: "等级", number: "编号",
  grade_1: "特别重大", grade_2: "重大", grade_3: "较大", grade_4: "一般", version: "第 {n} 版",
  trend: "趋势", hours: "{n} 小时", days: "{n} 天", history_none: "这段时间没有数据", threshold_line: "虚线为阈值",
  timeline: "办理过程", actions: "处置", unplaced: "未定位", copy: "复制", copied: "已复制",
  map: "地图", map_hide: "收起地图", map_show: "显示地图", whole_city: "全市", attribution: "底图",

  ...gatheringZh,
  "incident.opened": "立案", "incident.acknowledged": "签收", "incident.dispatched": "派遣",
  "incident.started": "开始处置", "incident.resolved": "反馈", "incident.closed": "结案",
  "incident.reopened": "重开", "incident.cleared": "告警恢复", "incident.refired": "再次告警",
  rules_actor: "系统规则",
  keys_title: "键盘快捷键", keys_move: "下一件 / 上一件", keys_search: "搜索", keys_help: "打开或关闭本说明", keys_mark: "选中 / 取消选中", keys_mark_all: "全选 / 取消全选", keys_send: "提交表单", keys_new: "页面上新建", keys_rows: "表格下一行 / 上一行", skip: "跳到内容",
  keys_escape: "关闭表单或说明", keys_on: "启用单键快捷键", close_help: "关闭",
};

export type Text = keyof typeof zh;

const en: Record<Text, string> = {
  product: "Yiwang", page: "Incident console", main_nav: "Pages",
  nav_incidents: "Incidents", nav_silences: "Silences", nav_sensors: "Sensors", nav_duty: "Duty", nav_performance: "Report", nav_tasks: "Tasks", nav_vitals: "Vital signs", nav_setup: "Setup",
  nav_rules: "Rules", nav_push: "Delivery", nav_keys: "Keys", nav_grants: "Grants", nav_neighbours: "Neighbours", nav_quarantine: "Quarantine", nav_catalogue: "Data", nav_users: "Users", nav_audit: "Audit",
  wall: "Wall", help: "Keys", log_out: "Log out", log_in: "Log in", to_light: "Light", to_dark: "Dark",
  language: "中", language_title: "切换到中文",
  role_screen: "screen", role_viewer: "viewer", role_operator: "operator", role_dispatcher: "dispatcher",
  role_admin: "administrator", "role_": "key",
  live: "Live", connecting: "Connecting", lost: "Link lost", refused: "Refused", data_age: "data {span} old", no_data: "no data yet",
  lost_banner: "Lost contact with the server: this is how it was at {at} ({span} ago). Reconnecting.",

  queue: "Queue", stage: "Stage", stage_all: "Open", stage_open: "New", stage_working: "In work",
  stage_resolved: "To verify", stage_closed: "Closed",
  priority: "Priority", p1: "Urgent", p2: "High", p3: "Medium", p4: "Low", only_priority: "Only {name}",
  area: "Area", every_area: "All areas", search: "Search title, sensor, department", clear: "Clear filters",
  shown: "{n} incidents", shown_of: "{shown} of {all}", more: "Show {n} more", load_more: "Load more", loading: "Loading…",
  none_open: "No open incidents", none_open_more: "The city is running normally.", none_match: "No incident matches",
  none_closed: "Nothing has been closed yet",
  open: "New", acknowledged: "Acknowledged", dispatched: "Dispatched", handling: "In hand", resolved: "To verify", closed: "Closed",
  active: "alarm active", cleared: "alarm cleared", none: "reported",
  overdue: "{span} overdue", due_in: "{span} left", ago: "{span} ago", historical: "historical data",

  step_open: "Opened", step_acknowledged: "Ack.", step_dispatched: "Sent", step_handling: "In hand",
  step_resolved: "Resolved", step_closed: "Closed",
  acknowledge: "Acknowledge", dispatch: "Dispatch", start: "Start work", resolve: "Resolve", close: "Verify and close", reopen: "Reopen",
  transfer: "Transfer", comment: "Add a note", regrade: "Regrade", dispatch_again: "Reassign", send_hint: "Ctrl+Enter sends",
  department: "Department", department_hint: "Choose a department",
  note_dispatch: "Reason for dispatching", note_resolve: "What was done", note_close: "Reason for closing", note_reopen: "Reason for reopening",
  note_start: "Note", note_acknowledge: "Note", note_transfer: "Reason for transferring", note_comment: "Note", note_regrade: "Reason for regrading",
  optional: "optional", required: "Please fill in: {what}", confirm: "{what}", cancel: "Cancel", sending: "Sending…",
  read_only: "You may look here, but not work on incidents.", done: "{title}: {what} done",
  beaten: "Somebody was first: {actor} – {what}. Below is how it stands now.",
  beaten_unknown: "Somebody has just changed this incident. Below is how it stands now.",
  failed: "{what} did not succeed.", dismiss: "OK",

  pick: "Choose an incident", pick_more: "J / K or a click in the list shows its facts, trend and steps.",
  gone: "There is no such incident.",
  detail: "Incident", facts: "Facts", measured: "Value", expected_value: "Expected", now_value: "Now", threshold: "Limit", metric: "Metric", subject: "Sensor", opened_at: "Opened",
  observed_at: "Observed", deadline: "Due", rule: "Rule", grade: "Grade", number: "Number",
  grade_1: "1 most serious", grade_2: "2 serious", grade_3: "3 considerable", grade_4: "4 general", version: "version {n}",
  trend: "Trend", hours: "{n} h", days: "{n} d", history_none: "No data in this span", threshold_line: "dashed: limit",
  timeline: "Steps", actions: "Actions", unplaced: "unplaced", copy: "Copy", copied: "Copied",
  map: "Map", map_hide: "Hide map", map_show: "Show map", whole_city: "Whole city", attribution: "Map",

  ...gatheringEn,
  "incident.opened": "opened", "incident.acknowledged": "acknowledged", "incident.dispatched": "dispatched",
  "incident.started": "work started", "incident.resolved": "resolved", "incident.closed": "closed",
  "incident.reopened": "reopened", "incident.cleared": "alarm cleared", "incident.refired": "alarm again",
  rules_actor: "rules",
  keys_title: "Keyboard", keys_move: "next / previous incident", keys_search: "search", keys_help: "open or close this", keys_mark: "tick / untick", keys_mark_all: "tick all / none", keys_send: "send a form", keys_new: "a new one, on a page", keys_rows: "next / previous row of a table", skip: "Skip to the content",
  keys_escape: "close a form or this", keys_on: "Single-key shortcuts on", close_help: "Close",
};

export const t = messages<Text>(zh, en);

/** The text of a key that came from the server, or the key itself. */
export function known(key: string): string {
  return key in zh ? t(key as Text) : key;
}

/** Who took a step: a person by name, the rules by what they are. */
export function actorName(actor: string): string {
  return actor === "rules" ? t("rules_actor") : actor;
}
