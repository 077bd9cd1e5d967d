//go:build js && wasm

package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"sort"
	"strings"
	"sync"
	"syscall/js"
	"time"
)

func main() {
	js.Global().Set("handleRequest", js.FuncOf(handle))
	fmt.Println("go is ready")
	select {}
}

// handle answers in a goroutine, as work that sleeps must; it gives a Promise of [status, body].
func handle(this js.Value, args []js.Value) any {
	method, target := args[0].String(), args[1].String()
	executor := js.FuncOf(func(this js.Value, settle []js.Value) any {
		go func() {
			status, body := answer(method, target)
			settle[0].Invoke([]any{status, body})
		}()
		return nil
	})
	defer executor.Release()
	return js.Global().Get("Promise").New(executor)
}

func answer(method, target string) (status int, body string) {
	defer func() {
		if reason := recover(); reason != nil {
			status, body = 500, fmt.Sprint("recovered: ", reason)
		}
	}()
	u, err := url.Parse(target)
	if err != nil {
		return 400, err.Error()
	}
	switch u.Path {
	case "/":
		return 200, "Hello from Go"
	case "/json":
		out, _ := json.Marshal(map[string]any{"method": method, "query": u.Query(), "é": "你好"})
		return 200, string(out)
	case "/channels":
		return 200, channels()
	case "/sleep":
		begin := time.Now()
		time.Sleep(30 * time.Millisecond)
		return 200, fmt.Sprint(time.Since(begin) >= 30*time.Millisecond)
	case "/maps":
		words := map[string]int{}
		for _, word := range strings.Fields("the cat the dog the end") {
			words[word]++
		}
		keys := make([]string, 0)
		for key := range words {
			keys = append(keys, key)
		}
		sort.Strings(keys)
		return 200, fmt.Sprint(keys, words["the"])
	case "/panic":
		var none []int
		return 200, fmt.Sprint(none[len(target)])
	case "/nil":
		var p *struct{ x int }
		return 200, fmt.Sprint(p.x)
	case "/crash":
		go func() { panic("nobody recovers") }()
		time.Sleep(time.Millisecond)
		return 200, "unreachable"
	case "/exit":
		os.Exit(3)
	case "/big":
		return 200, strings.Repeat("x", 3_000_000)
	case "/alloc":
		total := 0
		for i := 0; i < 200; i++ {
			total += len(make([]byte, 100_000))
		}
		return 200, fmt.Sprint(total)
	case "/js":
		date := js.Global().Get("Date").New(0)
		object := js.ValueOf(map[string]any{"a": 1, "b": []any{true, nil, 1.5}})
		bytes := js.Global().Get("Uint8Array").New(4)
		n := js.CopyBytesToJS(bytes, []byte{1, 2, 3})
		return 200, date.Call("toISOString").String() + js.Global().Get("JSON").Call("stringify", object).String() +
			fmt.Sprint(n, bytes.Index(2).Int(), js.Global().Get("nothing").IsUndefined(), object.InstanceOf(js.Global().Get("Object")))
	case "/error":
		return 200, jsError()
	}
	return 404, "not found: " + u.Path
}

func channels() string {
	jobs, results := make(chan int), make(chan int)
	var group sync.WaitGroup
	for range 4 {
		group.Add(1)
		go func() {
			defer group.Done()
			for n := range jobs {
				results <- n * n
			}
		}()
	}
	go func() {
		for n := range 100 {
			jobs <- n
		}
		close(jobs)
		group.Wait()
		close(results)
	}()
	total := 0
	for n := range results {
		total += n
	}
	return fmt.Sprint(total)
}

func jsError() (text string) {
	defer func() {
		if failure, ok := recover().(js.Error); ok {
			text = failure.Error()
		}
	}()
	js.Global().Get("JSON").Call("parse", "{")
	return "no error"
}
