//go:build tinygo.wasm

package main

import (
	"encoding/json"
	"unsafe"
)

var responseData []byte
var responseStatus int32 = 200

//export handle
func handle(methodPtr uintptr, methodLen int32, pathPtr uintptr, pathLen int32) {
	method := readString(methodPtr, methodLen)
	path := readString(pathPtr, pathLen)
	switch path {
	case "/":
		responseData = []byte("Hello from Go (TinyGo) on Cloudflare Workers!")
		responseStatus = 200
	case "/json":
		data := map[string]string{
			"message": "Hello from Go!",
			"method":  method,
		}
		b, _ := json.Marshal(data)
		responseData = b
		responseStatus = 200
	case "/hello":
		responseData = []byte("Hello!")
		responseStatus = 200
	default:
		responseData = []byte("404 Not Found")
		responseStatus = 404
	}
}

func readString(ptr uintptr, length int32) string {
	buf := make([]byte, length)
	copy(buf, (*[1 << 30]byte)(unsafe.Pointer(ptr))[:length:length])
	return string(buf)
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

//export getStatus
func getStatus() int32 {
	return responseStatus
}

//export alloc
func alloc(size int32) uintptr {
	buf := make([]byte, size)
	return uintptr(unsafe.Pointer(&buf[0]))
}

func main() {}
