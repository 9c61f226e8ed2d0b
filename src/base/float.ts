/**
 * Zero as a floating-point number, for a field that will hold fractions or
 * pass 2^31. V8 gives a field the kind of its first value: one that begins as
 * the small integer 0 and becomes a double later changes the hidden class of
 * its object, and all code that knew it is thrown away (2 GB into a transfer:
 * 80 functions, 300 ms at half speed). -0 is a double from the start; it
 * compares and counts like 0. What is shown to users adds 0 to it.
 */
export const FLOAT_ZERO = -0;
