package ledger

import "testing"

func TestBalance(t *testing.T) {
	l := &Ledger{}
	l.Add(Entry{"rent", -700})
	l.Add(Entry{"pay", 2000})
	if got := l.Balance(); got != 1300 {
		t.Errorf("Balance() = %d, want %d", got, 1300)
	}
}

func TestLargest(t *testing.T) {
	got := Largest([]Entry{{"a", 1}, {"b", 5}, {"c", 3}})
	if got.Name != "b" {
		t.Errorf("Largest() = %s, want %s", got.Name, "b")
	}
}

func TestClamp(t *testing.T) {
	if got := Clamp(12, 0, 10); got != 10 {
		t.Errorf("Clamp(12, 0, 10) = %d, want %d", got, 10)
	}
	if got := Clamp(-1, 0, 10); got != 0 {
		t.Errorf("Clamp(-1, 0, 10) = %d, want %d", got, 0)
	}
}
