// Package ledger keeps entries and their balance.
package ledger

import "errors"

const MaxEntries = 100

var ErrFull = errors.New("the ledger is full")

type Entry struct {
	Name   string
	Amount int
}

type Ledger struct {
	entries []Entry
}

func (l *Ledger) Add(e Entry) error {
	if len(l.entries) >= MaxEntries {
		return ErrFull
	}
	l.entries = append(l.entries, e)
	return nil
}

func (l *Ledger) Balance() int {
	sum := 0
	for _, e := range l.entries {
		sum += e.Amount
	}
	return sum
}

func (l *Ledger) Len() int {
	return len(l.entries)
}

func Largest(entries []Entry) Entry {
	best := entries[0]
	for _, e := range entries {
		if e.Amount > best.Amount {
			best = e
		}
	}
	return best
}

func Clamp(value, low, high int) int {
	if value < low {
		return low
	}
	if value > high {
		return high
	}
	return value
}
