;; What main.go says, written by hand, with the exports that TinyGo gives its program.
(module
  (memory (export "memory") 2)
  (data (i32.const 1024) "Hello from Go (TinyGo) on Cloudflare Workers!")

  (global $top (mut i32) (i32.const 65536)) ;; the first free byte of the heap
  (global $response (mut i32) (i32.const 0))
  (global $length (mut i32) (i32.const 0))

  (func (export "_initialize"))

  ;; Memory for $size bytes, which is never freed (TinyGo's gc=leaking).
  (func $allocate (param $size i32) (result i32)
    (local $pointer i32)
    (local $end i64)
    (local.set $pointer (global.get $top))
    (local.set $end
      (i64.and
        (i64.add
          (i64.add (i64.extend_i32_u (local.get $pointer)) (i64.extend_i32_u (local.get $size)))
          (i64.const 15))
        (i64.const -16)))
    ;; Double the memory until it is enough, as TinyGo does.
    (block $enough
      (loop $more
        (br_if $enough
          (i64.lt_u (local.get $end) (i64.shl (i64.extend_i32_u (memory.size)) (i64.const 16))))
        (br_if $more (i32.ne (memory.grow (memory.size)) (i32.const -1)))
        (unreachable)))
    (global.set $top (i32.wrap_i64 (local.get $end)))
    (local.get $pointer))

  (func (export "handle")
    (global.set $length (i32.const 45))
    (global.set $response (call $allocate (global.get $length)))
    (memory.copy (global.get $response) (i32.const 1024) (global.get $length)))

  (func (export "responsePtr") (result i32)
    (global.get $response))

  (func (export "responseLen") (result i32)
    (global.get $length)))
