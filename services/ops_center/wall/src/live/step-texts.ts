/** What rules, time and people do with an incident beside the closed loop, in words. */

export const gatheringZh = {
  "incident.joined": "告警并入", "incident.changed": "等级变化", "incident.member_cleared": "部分恢复",
  "incident.no_data": "数据中断", "incident.resumed": "数据恢复", "incident.merged": "合并",
  "incident.adopted": "归入上级", "incident.released": "独立成件", "incident.surfaced": "重新列出",
  "incident.suppressed": "静默", "incident.unsuppressed": "静默结束",
  "incident.overdue": "超时", "incident.assigned": "指派", "incident.transferred": "转派", "incident.regraded": "改级",
  "incident.commented": "备注", "incident.reported": "又有上报", "incident.absorbed": "并入他件", "incident.split": "拆分",
  "incident.linked": "关联", "incident.unlinked": "解除关联",
  suppressed: "静默", flapping: "抖动", members_n: "含 {n} 件",
};

export const gatheringEn = {
  "incident.joined": "alarm joined", "incident.changed": "severity changed",
  "incident.member_cleared": "partly cleared", "incident.no_data": "data stopped",
  "incident.resumed": "data again", "incident.merged": "merged", "incident.adopted": "put below another",
  "incident.released": "stands alone", "incident.surfaced": "listed again",
  "incident.suppressed": "silenced", "incident.unsuppressed": "silence over",
  "incident.overdue": "overdue", "incident.assigned": "assigned", "incident.transferred": "transferred",
  "incident.regraded": "regraded", "incident.commented": "note", "incident.reported": "reported again",
  "incident.absorbed": "took another in", "incident.split": "split", "incident.linked": "linked",
  "incident.unlinked": "link undone",
  suppressed: "silenced", flapping: "flapping", members_n: "{n} in it",
};
