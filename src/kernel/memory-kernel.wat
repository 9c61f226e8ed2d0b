;; Checksum and copy kernels over one memory (the interface and the meaning of a
;; sum: src/base/memory-kernel.ts). Built by `npm run build:kernel` into
;; wasm-binary.ts.
;;
;; WebAssembly is little-endian, so 16-bit words are summed with their bytes
;; swapped and the result is swapped once at the end (RFC 1071 §2 (B)).
;;
;; How words are added. A 64-bit lane is the word pair high:low of 32 bits each.
;; `a` adds whole lanes modulo 2^64, `h` adds the high halves exactly; at the
;; end the low halves are a - (h << 32), exact for anything that fits a memory.
;; That is three operations for 16 bytes (add, shift, add). Measured, in ns for
;; the sum of 1448 / 4096 / 65536 bytes, Zen 4, Node 20, all with a longer end
;; than now (now 30 / 73 / 1070):
;;   this, 8 vectors per turn, 2 accumulators     41 /  81 / 1064   <- chosen
;;   this, 2 vectors per turn, 2 accumulators     41 /  88 / 1216
;;   this, 4 per turn, 2 accumulators             42 /  87 / 1159
;;   this, 8 per turn, 4 accumulators (spills)    51 / 121 / 1744
;;   the same with 32-bit lanes and 16-bit halves 41 /  82 / 1063, overflows at 1 MB
;;   i32x4.dot_i16x8_s of words xor 0x8000        42 /  82 / 1076, the same limit
;;   i32x4.extadd_pairwise_i16x8_u                46 /  97 / 1314, the same limit
(module
  (import "kernel" "memory" (memory 0 65536))

  ;; Folds the two lanes of a total to 16 bits, in network order. x + rotl(x)
  ;; carries around the end, so that only a range of zeros sums to 0.
  (func $fold (param $t i64) (result i32)
    (local $w i32)
    (local.set $w (i32.wrap_i64 (i64.shr_u
      (i64.add (local.get $t) (i64.rotl (local.get $t) (i64.const 32))) (i64.const 32))))
    (local.set $w (i32.shr_u
      (i32.add (local.get $w) (i32.rotl (local.get $w) (i32.const 16))) (i32.const 16)))
    (i32.or
      (i32.shr_u (local.get $w) (i32.const 8))
      (i32.and (i32.shl (local.get $w) (i32.const 8)) (i32.const 0xff00))))

  ;; The sum of 0 to 15 bytes.
  (func $sumShort (param $p i32) (param $n i32) (result i32)
    (local $t i64)
    (if (i32.and (local.get $n) (i32.const 8)) (then
      (local.set $t (i64.add
        (i64.load32_u align=1 (local.get $p))
        (i64.load32_u offset=4 align=1 (local.get $p))))
      (local.set $p (i32.add (local.get $p) (i32.const 8)))))
    (if (i32.and (local.get $n) (i32.const 4)) (then
      (local.set $t (i64.add (local.get $t) (i64.load32_u align=1 (local.get $p))))
      (local.set $p (i32.add (local.get $p) (i32.const 4)))))
    (if (i32.and (local.get $n) (i32.const 2)) (then
      (local.set $t (i64.add (local.get $t) (i64.load16_u align=1 (local.get $p))))
      (local.set $p (i32.add (local.get $p) (i32.const 2)))))
    (if (i32.and (local.get $n) (i32.const 1)) (then
      (local.set $t (i64.add (local.get $t) (i64.load8_u (local.get $p))))))
    (call $fold (local.get $t)))

  (func $copySumShort (param $d i32) (param $p i32) (param $n i32) (result i32)
    (local $t i64) (local $x i64)
    (if (i32.and (local.get $n) (i32.const 8)) (then
      (local.set $x (i64.load align=1 (local.get $p)))
      (i64.store align=1 (local.get $d) (local.get $x))
      (local.set $t (i64.add
        (i64.and (local.get $x) (i64.const 0xffffffff))
        (i64.shr_u (local.get $x) (i64.const 32))))
      (local.set $p (i32.add (local.get $p) (i32.const 8)))
      (local.set $d (i32.add (local.get $d) (i32.const 8)))))
    (if (i32.and (local.get $n) (i32.const 4)) (then
      (local.set $x (i64.load32_u align=1 (local.get $p)))
      (i64.store32 align=1 (local.get $d) (local.get $x))
      (local.set $t (i64.add (local.get $t) (local.get $x)))
      (local.set $p (i32.add (local.get $p) (i32.const 4)))
      (local.set $d (i32.add (local.get $d) (i32.const 4)))))
    (if (i32.and (local.get $n) (i32.const 2)) (then
      (local.set $x (i64.load16_u align=1 (local.get $p)))
      (i64.store16 align=1 (local.get $d) (local.get $x))
      (local.set $t (i64.add (local.get $t) (local.get $x)))
      (local.set $p (i32.add (local.get $p) (i32.const 2)))
      (local.set $d (i32.add (local.get $d) (i32.const 2)))))
    (if (i32.and (local.get $n) (i32.const 1)) (then
      (local.set $x (i64.load8_u (local.get $p)))
      (i64.store8 (local.get $d) (local.get $x))
      (local.set $t (i64.add (local.get $t) (local.get $x)))))
    (call $fold (local.get $t)))

  (func (export "sum") (param $p i32) (param $n i32) (result i32)
    (local $v v128) (local $a0 v128) (local $a1 v128) (local $h0 v128) (local $h1 v128)
    (local $end i32) (local $stop i32)
    (if (i32.lt_u (local.get $n) (i32.const 16)) (then
      (return (call $sumShort (local.get $p) (local.get $n)))))
    (local.set $end (i32.add (local.get $p) (local.get $n)))

    ;; 128 bytes a turn
    (local.set $stop (i32.add (local.get $p) (i32.and (local.get $n) (i32.const -128))))
    (if (i32.ne (local.get $p) (local.get $stop)) (then (loop $more
      (local.set $v (v128.load align=1 (local.get $p)))
      (local.set $a0 (i64x2.add (local.get $a0) (local.get $v)))
      (local.set $h0 (i64x2.add (local.get $h0) (i64x2.shr_u (local.get $v) (i32.const 32))))
      (local.set $v (v128.load offset=16 align=1 (local.get $p)))
      (local.set $a1 (i64x2.add (local.get $a1) (local.get $v)))
      (local.set $h1 (i64x2.add (local.get $h1) (i64x2.shr_u (local.get $v) (i32.const 32))))
      (local.set $v (v128.load offset=32 align=1 (local.get $p)))
      (local.set $a0 (i64x2.add (local.get $a0) (local.get $v)))
      (local.set $h0 (i64x2.add (local.get $h0) (i64x2.shr_u (local.get $v) (i32.const 32))))
      (local.set $v (v128.load offset=48 align=1 (local.get $p)))
      (local.set $a1 (i64x2.add (local.get $a1) (local.get $v)))
      (local.set $h1 (i64x2.add (local.get $h1) (i64x2.shr_u (local.get $v) (i32.const 32))))
      (local.set $v (v128.load offset=64 align=1 (local.get $p)))
      (local.set $a0 (i64x2.add (local.get $a0) (local.get $v)))
      (local.set $h0 (i64x2.add (local.get $h0) (i64x2.shr_u (local.get $v) (i32.const 32))))
      (local.set $v (v128.load offset=80 align=1 (local.get $p)))
      (local.set $a1 (i64x2.add (local.get $a1) (local.get $v)))
      (local.set $h1 (i64x2.add (local.get $h1) (i64x2.shr_u (local.get $v) (i32.const 32))))
      (local.set $v (v128.load offset=96 align=1 (local.get $p)))
      (local.set $a0 (i64x2.add (local.get $a0) (local.get $v)))
      (local.set $h0 (i64x2.add (local.get $h0) (i64x2.shr_u (local.get $v) (i32.const 32))))
      (local.set $v (v128.load offset=112 align=1 (local.get $p)))
      (local.set $a1 (i64x2.add (local.get $a1) (local.get $v)))
      (local.set $h1 (i64x2.add (local.get $h1) (i64x2.shr_u (local.get $v) (i32.const 32))))
      (local.set $p (i32.add (local.get $p) (i32.const 128)))
      (br_if $more (i32.ne (local.get $p) (local.get $stop))))))

    ;; 16 bytes a turn
    (local.set $stop (i32.add (local.get $p) (i32.and (local.get $n) (i32.const 112))))
    (if (i32.ne (local.get $p) (local.get $stop)) (then (loop $more
      (local.set $v (v128.load align=1 (local.get $p)))
      (local.set $a0 (i64x2.add (local.get $a0) (local.get $v)))
      (local.set $h0 (i64x2.add (local.get $h0) (i64x2.shr_u (local.get $v) (i32.const 32))))
      (local.set $p (i32.add (local.get $p) (i32.const 16)))
      (br_if $more (i32.ne (local.get $p) (local.get $stop))))))

    ;; The last n % 16 bytes, without a branch and without reading past the
    ;; range: the last 16 bytes, shifted down so that those already summed fall
    ;; out (swizzle answers 0 for an index past 15).
    (local.set $v (i8x16.swizzle
      (v128.load align=1 (i32.sub (local.get $end) (i32.const 16)))
      (i8x16.add
        (v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
        (i8x16.splat (i32.sub (i32.const 16) (i32.and (local.get $n) (i32.const 15)))))))
    (local.set $a0 (i64x2.add (i64x2.add (local.get $a0) (local.get $a1)) (local.get $v)))
    (local.set $h0 (i64x2.add
      (i64x2.add (local.get $h0) (local.get $h1))
      (i64x2.shr_u (local.get $v) (i32.const 32))))
    (local.set $a0 (i64x2.add
      (local.get $h0)
      (i64x2.sub (local.get $a0) (i64x2.shl (local.get $h0) (i32.const 32)))))
    (call $fold (i64.add
      (i64x2.extract_lane 0 (local.get $a0)) (i64x2.extract_lane 1 (local.get $a0)))))

  ;; As sum, storing each vector on the way. The ranges must not overlap.
  (func (export "copySum") (param $d i32) (param $p i32) (param $n i32) (result i32)
    (local $v v128) (local $a0 v128) (local $a1 v128) (local $h0 v128) (local $h1 v128)
    (local $end i32) (local $stop i32)
    (if (i32.lt_u (local.get $n) (i32.const 16)) (then
      (return (call $copySumShort (local.get $d) (local.get $p) (local.get $n)))))
    (local.set $end (i32.add (local.get $p) (local.get $n)))

    (local.set $stop (i32.add (local.get $p) (i32.and (local.get $n) (i32.const -128))))
    (if (i32.ne (local.get $p) (local.get $stop)) (then (loop $more
      (local.set $v (v128.load align=1 (local.get $p)))
      (v128.store align=1 (local.get $d) (local.get $v))
      (local.set $a0 (i64x2.add (local.get $a0) (local.get $v)))
      (local.set $h0 (i64x2.add (local.get $h0) (i64x2.shr_u (local.get $v) (i32.const 32))))
      (local.set $v (v128.load offset=16 align=1 (local.get $p)))
      (v128.store offset=16 align=1 (local.get $d) (local.get $v))
      (local.set $a1 (i64x2.add (local.get $a1) (local.get $v)))
      (local.set $h1 (i64x2.add (local.get $h1) (i64x2.shr_u (local.get $v) (i32.const 32))))
      (local.set $v (v128.load offset=32 align=1 (local.get $p)))
      (v128.store offset=32 align=1 (local.get $d) (local.get $v))
      (local.set $a0 (i64x2.add (local.get $a0) (local.get $v)))
      (local.set $h0 (i64x2.add (local.get $h0) (i64x2.shr_u (local.get $v) (i32.const 32))))
      (local.set $v (v128.load offset=48 align=1 (local.get $p)))
      (v128.store offset=48 align=1 (local.get $d) (local.get $v))
      (local.set $a1 (i64x2.add (local.get $a1) (local.get $v)))
      (local.set $h1 (i64x2.add (local.get $h1) (i64x2.shr_u (local.get $v) (i32.const 32))))
      (local.set $v (v128.load offset=64 align=1 (local.get $p)))
      (v128.store offset=64 align=1 (local.get $d) (local.get $v))
      (local.set $a0 (i64x2.add (local.get $a0) (local.get $v)))
      (local.set $h0 (i64x2.add (local.get $h0) (i64x2.shr_u (local.get $v) (i32.const 32))))
      (local.set $v (v128.load offset=80 align=1 (local.get $p)))
      (v128.store offset=80 align=1 (local.get $d) (local.get $v))
      (local.set $a1 (i64x2.add (local.get $a1) (local.get $v)))
      (local.set $h1 (i64x2.add (local.get $h1) (i64x2.shr_u (local.get $v) (i32.const 32))))
      (local.set $v (v128.load offset=96 align=1 (local.get $p)))
      (v128.store offset=96 align=1 (local.get $d) (local.get $v))
      (local.set $a0 (i64x2.add (local.get $a0) (local.get $v)))
      (local.set $h0 (i64x2.add (local.get $h0) (i64x2.shr_u (local.get $v) (i32.const 32))))
      (local.set $v (v128.load offset=112 align=1 (local.get $p)))
      (v128.store offset=112 align=1 (local.get $d) (local.get $v))
      (local.set $a1 (i64x2.add (local.get $a1) (local.get $v)))
      (local.set $h1 (i64x2.add (local.get $h1) (i64x2.shr_u (local.get $v) (i32.const 32))))
      (local.set $p (i32.add (local.get $p) (i32.const 128)))
      (local.set $d (i32.add (local.get $d) (i32.const 128)))
      (br_if $more (i32.ne (local.get $p) (local.get $stop))))))

    (local.set $stop (i32.add (local.get $p) (i32.and (local.get $n) (i32.const 112))))
    (if (i32.ne (local.get $p) (local.get $stop)) (then (loop $more
      (local.set $v (v128.load align=1 (local.get $p)))
      (v128.store align=1 (local.get $d) (local.get $v))
      (local.set $a0 (i64x2.add (local.get $a0) (local.get $v)))
      (local.set $h0 (i64x2.add (local.get $h0) (i64x2.shr_u (local.get $v) (i32.const 32))))
      (local.set $p (i32.add (local.get $p) (i32.const 16)))
      (local.set $d (i32.add (local.get $d) (i32.const 16)))
      (br_if $more (i32.ne (local.get $p) (local.get $stop))))))

    (local.set $n (i32.and (local.get $n) (i32.const 15)))
    (local.set $v (v128.load align=1 (i32.sub (local.get $end) (i32.const 16))))
    (v128.store align=1
      (i32.sub (i32.add (local.get $d) (local.get $n)) (i32.const 16)) (local.get $v))
    (local.set $v (i8x16.swizzle
      (local.get $v)
      (i8x16.add
        (v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
        (i8x16.splat (i32.sub (i32.const 16) (local.get $n))))))
    (local.set $a0 (i64x2.add (i64x2.add (local.get $a0) (local.get $a1)) (local.get $v)))
    (local.set $h0 (i64x2.add
      (i64x2.add (local.get $h0) (local.get $h1))
      (i64x2.shr_u (local.get $v) (i32.const 32))))
    (local.set $a0 (i64x2.add
      (local.get $h0)
      (i64x2.sub (local.get $a0) (i64x2.shl (local.get $h0) (i32.const 32)))))
    (call $fold (i64.add
      (i64x2.extract_lane 0 (local.get $a0)) (i64x2.extract_lane 1 (local.get $a0)))))

  ;; memmove, the engine's own. A loop over vectors gains 2 ns below 128 bytes,
  ;; loses 6 at 1460 and 16 at 4096; copyWithin, called from JavaScript, costs 10
  ;; more at 64 bytes, 15 at 1460 and 11 at 4096.
  (func (export "copy") (param $d i32) (param $p i32) (param $n i32)
    (memory.copy (local.get $d) (local.get $p) (local.get $n))))
