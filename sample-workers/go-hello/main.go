//go:build tinygo.wasm

package main

import "unsafe"

var responseData []byte

//export handle
func handle() {
	responseData = []byte("Hello from Go (TinyGo) on Cloudflare Workers!")
}

//export responsePtr
func responsePtr() uintptr {
	if len(responseData) == 0 {
		return 0
	}
	return uintptr(unsafe.Pointer(&responseData[0]))
}

//export responseLen
func responseLen() int32 {
	return int32(len(responseData))
}

func main() {}
