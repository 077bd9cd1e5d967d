//go:build tinygo.wasm

package main

import (
	"encoding/json"
	"strings"
	"unsafe"
)

var requestHeaders []byte
var requestBody []byte
var responseData []byte
var responseHeaders []byte
var responseStatus int32 = 200

//export handle
func handle(methodPtr *byte, methodLen int32, pathPtr *byte, pathLen int32) {
	method := string(unsafe.Slice(methodPtr, methodLen))
	path := string(unsafe.Slice(pathPtr, pathLen))
	responseStatus = 200
	responseHeaders = nil
	switch path {
	case "/":
		responseData = []byte("Hello from Go (TinyGo) on Cloudflare Workers!")
	case "/json":
		data := map[string]string{
			"message": "Hello from Go!",
			"method":  method,
		}
		responseData, _ = json.Marshal(data)
	case "/hello":
		responseData = []byte("Hello!")
	case "/echo":
		responseData = requestBody
		if contentType := header("content-type"); contentType != "" {
			responseHeaders = []byte("Content-Type: " + contentType + "\n")
		}
	default:
		responseData = []byte("404 Not Found")
		responseStatus = 404
	}
}

// header finds a header of the request. Names come in lower case.
func header(name string) string {
	for _, line := range strings.Split(string(requestHeaders), "\n") {
		if found, value, ok := strings.Cut(line, ": "); ok && found == name {
			return value
		}
	}
	return ""
}

// What setHeaders and setBody get was made by alloc for this request, so it need not be copied.

//export setHeaders
func setHeaders(ptr *byte, length int32) {
	requestHeaders = unsafe.Slice(ptr, length)
}

//export setBody
func setBody(ptr *byte, length int32) {
	requestBody = unsafe.Slice(ptr, length)
}

//export alloc
func alloc(size int32) *byte {
	buf := make([]byte, size)
	return &buf[0]
}

//export responsePtr
func responsePtr() *byte {
	return unsafe.SliceData(responseData)
}

//export responseLen
func responseLen() int32 {
	return int32(len(responseData))
}

//export responseHeadersPtr
func responseHeadersPtr() *byte {
	return unsafe.SliceData(responseHeaders)
}

//export responseHeadersLen
func responseHeadersLen() int32 {
	return int32(len(responseHeaders))
}

//export getStatus
func getStatus() int32 {
	return responseStatus
}

func main() {}
