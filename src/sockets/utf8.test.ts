import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeUtf8 } from "./utf8.ts";

test("encodes as TextEncoder does, lone surrogates included", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 0xffff })), (units) => {
      const text = String.fromCharCode(...units);
      expect(encodeUtf8(text)).toEqual(new TextEncoder().encode(text));
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(encodeUtf8(text)).toEqual(new TextEncoder().encode(text));
    }),
  );
});
