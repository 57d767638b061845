// Judges histories with Porcupine, for bench/peers/compare.py.
//
// A file has a line an event: "+ call f a b" invokes, "- call known value" returns; values are
// whole numbers, -1 where there is none: `porcupine INIT LIMIT FILE [REPEATS]`.  Prints the verdict
// and the best time in nanoseconds of those that fit into the limit.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/anishathalye/porcupine"
)

type ask struct{ f, a, b int }
type answer struct {
	known bool
	value int
}

const (
	read = iota
	write
	cas
	inc
)

func step(state, input, output interface{}) (bool, interface{}) {
	now, in, out := state.(int), input.(ask), output.(answer)
	switch in.f {
	case read:
		return !out.known || out.value == now, now
	case write:
		return true, in.a
	case cas:
		if out.known {
			return now == in.a, in.b
		}
		if now == in.a {
			return true, in.b
		}
		return true, now
	default:
		return !out.known || out.value == now+1, now + 1
	}
}

func load(path string) []porcupine.Event {
	file, err := os.Open(path)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	var events []porcupine.Event
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var mark string
		var id, x, y, z int
		fmt.Sscan(lines.Text(), &mark, &id, &x, &y, &z)
		if mark == "+" {
			events = append(events, porcupine.Event{Kind: porcupine.CallEvent, Value: ask{x, y, z}, Id: id})
		} else {
			events = append(events, porcupine.Event{Kind: porcupine.ReturnEvent, Value: answer{x == 1, y}, Id: id})
		}
	}
	return events
}

func main() {
	init, _ := strconv.Atoi(os.Args[1])
	limit, _ := time.ParseDuration(os.Args[2])
	model := porcupine.Model{Init: func() interface{} { return init }, Step: step}
	repeats := 1
	if len(os.Args) > 4 {
		repeats, _ = strconv.Atoi(os.Args[4])
	}
	events := load(os.Args[3])
	best, verdict := time.Duration(0), porcupine.Unknown
	for again := 0; again < repeats && best < limit/3; again++ {
		started := time.Now()
		verdict = porcupine.CheckEventsTimeout(model, events, limit)
		if took := time.Since(started); again == 0 || took < best {
			best = took
		}
	}
	fmt.Println(verdict, best.Nanoseconds())
}
