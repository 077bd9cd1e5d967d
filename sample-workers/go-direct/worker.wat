;; What main.go says, written by hand, with the exports that TinyGo gives its program.
(module
  (memory (export "memory") 2)
  (data (i32.const 1024) "Hello from Go (TinyGo) on Cloudflare Workers!") ;; 45 bytes
  (data (i32.const 1088) "Hello!") ;; 6
  (data (i32.const 1104) "404 Not Found") ;; 13
  (data (i32.const 1120) "{\"message\":\"Hello from Go!\",\"method\":\"") ;; 38
  (data (i32.const 1168) "\"}") ;; 2
  (data (i32.const 1184) "/json") ;; 5
  (data (i32.const 1200) "/hello") ;; 6
  (data (i32.const 1216) "0123456789abcdef")
  (data (i32.const 1232) "/echo") ;; 5
  (data (i32.const 1248) "content-type: ") ;; 14
  (data (i32.const 1264) "Content-Type: ") ;; 14

  (global $top (mut i32) (i32.const 65536)) ;; the first free byte of the heap
  (global $response (mut i32) (i32.const 0))
  (global $length (mut i32) (i32.const 0))
  (global $status (mut i32) (i32.const 200))
  (global $headers (mut i32) (i32.const 0))
  (global $headersLength (mut i32) (i32.const 0))
  (global $requestHeaders (mut i32) (i32.const 0))
  (global $requestHeadersLength (mut i32) (i32.const 0))
  (global $requestBody (mut i32) (i32.const 0))
  (global $requestBodyLength (mut i32) (i32.const 0))

  (func (export "_initialize"))

  ;; Makes the memory reach past $end: doubles it, as TinyGo does, and traps when there is no more.
  (func $reach (param $end i64)
    (local.set $end (i64.add (local.get $end) (i64.const 16))) ;; so that $align stays inside
    (block $enough
      (loop $more
        (br_if $enough
          (i64.le_u (local.get $end) (i64.shl (i64.extend_i32_u (memory.size)) (i64.const 16))))
        (br_if $more (i32.ne (memory.grow (memory.size)) (i32.const -1)))
        (unreachable))))

  ;; Memory for $size bytes, which is never freed (TinyGo's gc=leaking).
  (func $allocate (param $size i32) (result i32)
    (local $pointer i32)
    (local $end i64)
    (call $align)
    (local.set $pointer (global.get $top))
    (local.set $end
      (i64.add (i64.extend_i32_u (local.get $pointer)) (i64.extend_i32_u (local.get $size))))
    (call $reach (local.get $end))
    (global.set $top (i32.wrap_i64 (local.get $end)))
    (local.get $pointer))

  (func $align
    (global.set $top
      (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16))))

  ;; In Go, make([]byte, size) panics for a negative size and &buf[0] for an empty slice.
  (func (export "alloc") (param $size i32) (result i32)
    (if (i32.le_s (local.get $size) (i32.const 0)) (then (unreachable)))
    (call $allocate (local.get $size)))

  (func $equal (param $a i32) (param $b i32) (param $length i32) (result i32)
    (block $different
      (loop $next
        (if (i32.eqz (local.get $length)) (then (return (i32.const 1))))
        (local.set $length (i32.sub (local.get $length) (i32.const 1)))
        (br_if $different
          (i32.ne
            (i32.load8_u (i32.add (local.get $a) (local.get $length)))
            (i32.load8_u (i32.add (local.get $b) (local.get $length)))))
        (br $next)))
    (i32.const 0))

  ;; Is the path that text?
  (func $is (param $path i32) (param $pathLength i32) (param $text i32) (param $textLength i32) (result i32)
    (if (result i32) (i32.eq (local.get $pathLength) (local.get $textLength))
      (then (call $equal (local.get $path) (local.get $text) (local.get $textLength)))
      (else (i32.const 0))))

  ;; Starts a new response; $text and $byte append to it.
  (func $begin (param $code i32)
    (global.set $status (local.get $code))
    (global.set $response (call $allocate (i32.const 0)))
    (global.set $length (i32.const 0)))

  ;; The response is the last thing on the heap, so it grows where it is.
  (func $extend (param $size i32) (result i32)
    (local $pointer i32)
    (local $end i64)
    (local.set $pointer (global.get $top))
    (local.set $end
      (i64.add (i64.extend_i32_u (local.get $pointer)) (i64.extend_i32_u (local.get $size))))
    (call $reach (local.get $end))
    (global.set $top (i32.wrap_i64 (local.get $end)))
    (global.set $length (i32.add (global.get $length) (local.get $size)))
    (local.get $pointer))

  (func $text (param $pointer i32) (param $size i32)
    (memory.copy (call $extend (local.get $size)) (local.get $pointer) (local.get $size)))

  (func $byte (param $value i32)
    (i32.store8 (call $extend (i32.const 1)) (local.get $value)))

  ;; A byte of a JSON string as encoding/json writes it, but for two short forms (\n is \u000a) and
  ;; invalid UTF-8, neither of which a method can have.
  (func $escaped (param $value i32)
    (if (i32.or
          (i32.eq (local.get $value) (i32.const 0x22)) ;; "
          (i32.eq (local.get $value) (i32.const 0x5c))) ;; \
      (then
        (call $byte (i32.const 0x5c))
        (call $byte (local.get $value))
        (return)))
    (if (i32.or
          (i32.lt_u (local.get $value) (i32.const 0x20))
          (i32.or
            (i32.eq (local.get $value) (i32.const 0x26)) ;; &
            (i32.or
              (i32.eq (local.get $value) (i32.const 0x3c)) ;; <
              (i32.eq (local.get $value) (i32.const 0x3e))))) ;; >
      (then
        (call $unicode (local.get $value))
        (return)))
    (call $byte (local.get $value)))

  ;; \u00XX
  (func $unicode (param $value i32)
    (call $byte (i32.const 0x5c))
    (call $byte (i32.const 0x75))
    (call $byte (i32.const 0x30))
    (call $byte (i32.const 0x30))
    (call $byte (i32.load8_u offset=1216 (i32.shr_u (local.get $value) (i32.const 4))))
    (call $byte (i32.load8_u offset=1216 (i32.and (local.get $value) (i32.const 15)))))

  (func $json (param $method i32) (param $methodLength i32)
    (local $index i32)
    (call $text (i32.const 1120) (i32.const 38))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $index) (local.get $methodLength)))
        (call $escaped (i32.load8_u (i32.add (local.get $method) (local.get $index))))
        (local.set $index (i32.add (local.get $index) (i32.const 1)))
        (br $next)))
    (call $text (i32.const 1168) (i32.const 2)))

  ;; The address of the first line feed from $pointer on, or $end.
  (func $lineEnd (param $pointer i32) (param $end i32) (result i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $pointer) (local.get $end)))
        (br_if $done (i32.eq (i32.load8_u (local.get $pointer)) (i32.const 0x0a)))
        (local.set $pointer (i32.add (local.get $pointer) (i32.const 1)))
        (br $next)))
    (local.get $pointer))

  ;; The address of the value of the request's Content-Type, or 0. Names come in lower case.
  (func $contentType (result i32)
    (local $line i32)
    (local $end i32)
    (local.set $line (global.get $requestHeaders))
    (local.set $end (i32.add (local.get $line) (global.get $requestHeadersLength)))
    (block $none
      (loop $next
        (br_if $none
          (i32.lt_s (i32.sub (local.get $end) (local.get $line)) (i32.const 14)))
        (if (call $equal (local.get $line) (i32.const 1248) (i32.const 14))
          (then (return (i32.add (local.get $line) (i32.const 14)))))
        (local.set $line
          (i32.add (call $lineEnd (local.get $line) (local.get $end)) (i32.const 1)))
        (br $next)))
    (i32.const 0))

  ;; The body and the Content-Type of the request, as they came.
  (func $echo
    (local $value i32)
    (local $size i32)
    (local.set $value (call $contentType))
    (if (local.get $value)
      (then
        (local.set $size
          (i32.sub
            (call $lineEnd (local.get $value)
              (i32.add (global.get $requestHeaders) (global.get $requestHeadersLength)))
            (local.get $value)))))
    (if (local.get $size)
      (then
        (call $begin (i32.const 200))
        (call $text (i32.const 1264) (i32.const 14))
        (call $text (local.get $value) (local.get $size))
        (call $byte (i32.const 0x0a))
        (global.set $headers (global.get $response))
        (global.set $headersLength (global.get $length))))
    (global.set $status (i32.const 200))
    (global.set $response (global.get $requestBody))
    (global.set $length (global.get $requestBodyLength)))

  (func (export "setHeaders") (param $pointer i32) (param $size i32)
    (global.set $requestHeaders (local.get $pointer))
    (global.set $requestHeadersLength (local.get $size)))

  (func (export "setBody") (param $pointer i32) (param $size i32)
    (global.set $requestBody (local.get $pointer))
    (global.set $requestBodyLength (local.get $size)))

  (func (export "handle") (param $method i32) (param $methodLength i32) (param $path i32) (param $pathLength i32)
    (global.set $headersLength (i32.const 0))
    ;; "/" is the first character of "/json"
    (if (call $is (local.get $path) (local.get $pathLength) (i32.const 1184) (i32.const 1))
      (then
        (call $begin (i32.const 200))
        (call $text (i32.const 1024) (i32.const 45))
        (return)))
    (if (call $is (local.get $path) (local.get $pathLength) (i32.const 1184) (i32.const 5))
      (then
        (call $begin (i32.const 200))
        (call $json (local.get $method) (local.get $methodLength))
        (return)))
    (if (call $is (local.get $path) (local.get $pathLength) (i32.const 1200) (i32.const 6))
      (then
        (call $begin (i32.const 200))
        (call $text (i32.const 1088) (i32.const 6))
        (return)))
    (if (call $is (local.get $path) (local.get $pathLength) (i32.const 1232) (i32.const 5))
      (then
        (call $echo)
        (return)))
    (call $begin (i32.const 404))
    (call $text (i32.const 1104) (i32.const 13)))

  (func (export "responsePtr") (result i32)
    (global.get $response))

  (func (export "responseLen") (result i32)
    (global.get $length))

  (func (export "getStatus") (result i32)
    (global.get $status))

  (func (export "responseHeadersPtr") (result i32)
    (global.get $headers))

  (func (export "responseHeadersLen") (result i32)
    (global.get $headersLength)))
