/** Texts of the page about neighbouring cities. */

import { messages } from "../../i18n";

const zh = {
  neighbours: "邻市", neighbours_more: "相邻城市的平台：把涉及它们的预警告知对方，并在大屏上显示对方发布的预警。", add: "添加邻市", change: "修改", tools: "操作",
  city: "城市", interest: "告知内容", heard: "最近消息", sent: "最近送达", state: "状态", nobody: "还没有邻市。", warnings: "收到的预警",
  adcode: "行政区划代码", name_zh: "中文名称", name_en: "英文名称", url: "对方接收预警的地址", url_hint: "https://…/v1/neighbours/{own}/warnings",
  secret: "共享密钥", secret_hint: "由对方提供时填写；留空则在此生成，交给对方", secret_again: "对方更换密钥后填写；旧密钥 24 小时内仍有效",
  tells: "向对方告知预警", least: "最低级别", categories: "事件类别", areas: "区域", every: "不限", silent_after: "多少分钟无消息即提示", silent_hint: "留空：不提示",
  nothing: "不告知", at_least: "{colour}及以上", red: "红色", orange: "橙色", yellow: "黄色", blue: "蓝色",
  never: "尚无", silent: "久无消息", reachable: "正常", failing: "失败 {n} 次", off: "已停用", waiting: "{n} 条待送", ago: "{span}前",
  rotate: "更换密钥", rotate_sure: "旧密钥 24 小时内仍有效", part: "移除", part_sure: "不再互通预警？", switch_on: "启用",
  made: "与{name}共享的密钥：交给对方管理员", level_off: "本市未发布公共预警（YIWANG_CAP_LEVEL=off），不会告知邻市。", level_is: "本市发布{colour}及以上的预警。",
  holds: "生效中", over: "已结束", exercise: "演练", received: "收到时间", headline: "预警", until: "有效期至", none_yet: "尚未收到预警。", Alert: "发布", Update: "更新", Cancel: "解除", kind: "类型", close: "收起", show: "查看预警",
};

type NeighbourText = keyof typeof zh;

const en: Record<NeighbourText, string> = {
  neighbours: "Neighbours", neighbours_more: "Platforms of neighbouring cities: they are told of warnings that concern them, and walls show what they warn of.", add: "Add a neighbour", change: "Change", tools: "Actions",
  city: "City", interest: "Is told", heard: "Last heard", sent: "Last delivered", state: "State", nobody: "No neighbours yet.", warnings: "Warnings received",
  adcode: "Adcode", name_zh: "Name in Chinese", name_en: "Name in English", url: "Where it takes warnings", url_hint: "https://…/v1/neighbours/{own}/warnings",
  secret: "Shared secret", secret_hint: "If the other side has made one; else one is made here, to be handed over", secret_again: "After the other side has made a new one; the old one is valid for 24 h",
  tells: "Tell it of warnings", least: "Mildest colour", categories: "Categories", areas: "Areas", every: "any", silent_after: "Called silent after minutes", silent_hint: "Empty: never",
  nothing: "nothing", at_least: "{colour} or graver", red: "red", orange: "orange", yellow: "yellow", blue: "blue",
  never: "never", silent: "silent", reachable: "well", failing: "{n} failures", off: "disabled", waiting: "{n} waiting", ago: "{span} ago",
  rotate: "New secret", rotate_sure: "The old one is valid for 24 h", part: "Remove", part_sure: "Exchange no more warnings?", switch_on: "Switch on",
  made: "Secret shared with {name}: hand it to the administrator there", level_off: "This city publishes no warnings (YIWANG_CAP_LEVEL=off): neighbours are told nothing.", level_is: "This city publishes warnings that are {colour} or graver.",
  holds: "in force", over: "over", exercise: "exercise", received: "Received", headline: "Warning", until: "Until", none_yet: "No warnings yet.", Alert: "alert", Update: "update", Cancel: "lifted", kind: "Kind", close: "Hide", show: "Show warnings",
};

export const n = messages<NeighbourText>(zh, en);
