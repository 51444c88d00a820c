/** Texts of the handling department's page, made for a phone. */

import { messages } from "../../i18n";

const zh = {
  tasks: "任务", whose: "承办部门", choose: "选择您的部门", choose_more: "只显示派给该部门的案件；此设备会记住。请管理员在「用户」中设好您的部门，便不必再选。", mine: "{n} 件", none: "没有待办案件", none_more: "新派遣的案件会自动出现在这里。",
  left: "剩余 {span}", late: "超时 {span}", no_deadline: "无时限", start: "开始处置", resolve: "提交处置结果", note: "添加备注", note_text: "现场情况", result: "处置结果", photo: "照片地址（可不填）", photo_hint: "https:// 开头；照片存放在您单位的图床", photo_bad: "请填写 http(s) 地址。", photo_line: "照片：{url}", send: "提交", back: "返回列表", navigate: "导航", call_in: "派遣说明", history: "办理过程", done: "已提交", waiting: "待处置", working: "处置中", need: "必填", filter_all: "全部", filter_late: "超时 {n} 件", loading: "正在加载…", refresh_note: "实时更新",
};

const en: Record<keyof typeof zh, string> = {
  tasks: "Tasks", whose: "Department", choose: "Choose your department", choose_more: "Only its cases are shown; this device remembers it. With your department in your account there is nothing to choose.", mine: "{n} cases", none: "Nothing to do", none_more: "What is dispatched to you appears here by itself.",
  left: "{span} left", late: "{span} late", no_deadline: "no deadline", start: "Start work", resolve: "Send the result", note: "Add a note", note_text: "What you see", result: "What was done", photo: "Photo address (optional)", photo_hint: "begins with https://; photos stay on your own server", photo_bad: "Give an http(s) address.", photo_line: "Photo: {url}", send: "Send", back: "Back to the list", navigate: "Navigate", call_in: "Why it was sent", history: "Steps", done: "sent", waiting: "waiting", working: "in hand", need: "needed", filter_all: "All", filter_late: "{n} late", loading: "Loading…", refresh_note: "live",
};

export const k = messages<keyof typeof zh>(zh, en);
