import { buildLadder, type LadderOptions } from "../trace/ladder/build.ts";
import type { Ladder, LadderItem } from "../trace/ladder/model.ts";
import type { Language } from "../trace/ladder/words.ts";
import type { ActResult } from "./scenario.ts";

/** The ladder of an act, with its narration and byte strips between the segments. */
export function actLadder(
  act: ActResult,
  language: Language,
  options: LadderOptions & { readonly narration?: boolean } = {},
): Ladder {
  const extra: LadderItem[] = [...act.extra];
  if (options.narration ?? true) {
    for (const step of act.steps) {
      const { timeUs, strips, said } = step;
      const label = String(step.number);
      extra.push({ kind: "text", timeUs, label, text: step.text[language], said });
      if (strips.length > 0) extra.push({ kind: "strips", timeUs, strips, said });
    }
  }
  return buildLadder(act.log, act.trace, {
    title: act.title[language],
    order: act.hosts,
    marks: act.marks,
    limit: act.limit,
    firstPacket: act.firstPacket,
    firstEvent: act.firstEvent,
    ...(act.protocols === undefined ? {} : { protocols: act.protocols }),
    ...options,
    extra,
  });
}
