// Package report writes accounts for people.
package report

import (
	"fmt"

	"example.org/purse/ledger"
)

const Currency = "EUR"

func FormatAmount(cents int) string {
	return fmt.Sprintf("%d.%02d %s", cents/100, cents%100, Currency)
}

func Line(e ledger.Entry) string {
	return e.Name + ": " + FormatAmount(e.Amount)
}

func Average(values []int) int {
	sum := 0
	for _, v := range values {
		sum += v
	}
	return sum / len(values)
}

func IsOverdrawn(balance int) bool {
	return balance < 0
}
