import type { StripKind } from "./strips.ts";

export type Language = "en" | "ko";

/** What the diagrams themselves say. RFC terms stay English. */
export const STRIP_WORDS: Readonly<Record<Language, Readonly<Record<StripKind, string>>>> = {
  en: {
    acknowledged: "acknowledged",
    "in-flight": "in flight",
    "may-send": "may be sent",
    open: "window open",
    "must-wait": "must wait",
    read: "read",
    waiting: "waiting",
    gap: "missing",
    "out-of-order": "out of order",
    free: "free",
  },
  ko: {
    acknowledged: "확인됨",
    "in-flight": "전송 중",
    "may-send": "전송 가능",
    open: "열린 윈도우",
    "must-wait": "대기",
    read: "읽음",
    waiting: "읽기 대기",
    gap: "빠진 부분",
    "out-of-order": "순서 밖",
    free: "빈 공간",
  },
};

export const WINDOW_WORD: Readonly<Record<Language, string>> = { en: "window", ko: "윈도우" };
export const AGAIN_WORD: Readonly<Record<Language, string>> = { en: "again", ko: "재전송" };
export const LOST_WORD: Readonly<Record<Language, string>> = { en: "lost", ko: "손실" };
