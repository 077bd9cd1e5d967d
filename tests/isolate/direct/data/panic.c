// A Worker whose debug information (DWARF) leads to main.go, as that of TinyGo does. Compiled with
//   zig cc -target wasm32-freestanding -g -O0 -nostdlib -Wl,--no-entry -ffile-prefix-map=$PWD=/build -o panic.wasm panic.c
static char text[] = "hello";

#line 20 "/opt/tinygo/src/runtime/panic.go"
static void _panic(void) __asm__("runtime._panic");
static void _panic(void) { __builtin_trap(); }

#line 8 "/build/main.go"
static void route(int path) __asm__("main.route");
static void route(int path) {
    if (path > 0)
        _panic();
}

#line 3 "/build/main.go"
__attribute__((export_name("handle"))) void handle(void) __asm__("main.handle");
void handle(void) {
    route(1);
}

__attribute__((export_name("responsePtr"))) char *responsePtr(void) { return text; }
__attribute__((export_name("responseLen"))) int responseLen(void) { return 5; }
