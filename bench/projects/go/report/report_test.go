package report

import (
	"testing"

	"example.org/purse/ledger"
)

func TestFormatAmount(t *testing.T) {
	if got := FormatAmount(1205); got != "12.05 EUR" {
		t.Errorf("FormatAmount(1205) = %q, want %q", got, "12.05 EUR")
	}
}

func TestLine(t *testing.T) {
	if got := Line(ledger.Entry{Name: "pay", Amount: 200}); got != "pay: 2.00 EUR" {
		t.Errorf("Line() = %q, want %q", got, "pay: 2.00 EUR")
	}
}

func TestAverage(t *testing.T) {
	if got := Average([]int{2, 4, 6}); got != 4 {
		t.Errorf("Average() = %d, want %d", got, 4)
	}
}

func TestIsOverdrawn(t *testing.T) {
	if !IsOverdrawn(-1) || IsOverdrawn(0) {
		t.Error("only a negative balance is overdrawn")
	}
}
