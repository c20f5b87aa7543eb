package jose

import (
	"math/big"
	"strings"
	"testing"
	"time"
)

// number returns the Value of a text that must be valid.
func number(t *testing.T, text string) Value {
	t.Helper()
	value, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("Parse(%.100q): %v", text, err)
	}
	return value
}

func TestUint(t *testing.T) {
	tests := []struct {
		text string
		want uint64
		ok   bool
	}{
		{"0", 0, true}, {"7", 7, true}, {"1763800000", 1763800000, true},
		{"18446744073709551615", 1<<64 - 1, true}, {"18446744073709551616", 0, false}, {"18446744073709551620", 0, false},
		{"99999999999999999999", 0, false}, {"184467440737095516150", 0, false}, {strings.Repeat("9", 1000), 0, false},
		{"-0", 0, false}, {"-1", 0, false}, {"1.0", 0, false}, {"1e3", 0, false}, {"0e0", 0, false},
		{"null", 0, false}, {"true", 0, false}, {`"1"`, 0, false}, {"[1]", 0, false}, {"{}", 0, false},
	}
	for _, test := range tests {
		if got, ok := number(t, test.text).Uint(); ok != test.ok || ok && got != test.want {
			t.Errorf("Uint(%.100s) = %d, %v", test.text, got, ok)
		}
	}
	if _, ok := (Value{}).Uint(); ok {
		t.Error("the zero Value is a number")
	}
}

func TestSeconds(t *testing.T) {
	tests := []struct {
		text string
		sec  int64
		nsec int32
		ok   bool
	}{
		{"0", 0, 0, true}, {"1", 1, 0, true}, {"1763800000", 1763800000, 0, true},
		{"1763800000.5", 1763800000, 500_000_000, true}, {"1763800000.123456789", 1763800000, 123_456_789, true},
		{"1763800000.9999999999999", 1763800000, 999_999_999, true}, {"0.000000001", 0, 1, true}, {"0.0000000009", 0, 0, true},
		{"1.7638e9", 1763800000, 0, true}, {"1.7638E+9", 1763800000, 0, true}, {"17638000000e-1", 1763800000, 0, true},
		{"1763800000123e-3", 1763800000, 123_000_000, true}, {"0.00000017638e16", 1763800000, 0, true}, {"25e-1", 2, 500_000_000, true},
		{"5e-1", 0, 500_000_000, true}, {"5e-9", 0, 5, true}, {"5e-10", 0, 0, true}, {"1e-999999999", 0, 0, true}, {"1.0", 1, 0, true},
		{"1763800000.10000000000000000000000000000000000001", 1763800000, 100_000_000, true},
		{"9007199254.740993", 9007199254, 740_993_000, true}, {"1763800000.30000001", 1763800000, 300_000_010, true},
		{"253402300799", 253402300799, 0, true}, {"253402300799.999999999", 253402300799, 999_999_999, true},
		{"253402300799.9999999999999999999999999", 253402300799, 999_999_999, true}, {"2.53402300799e11", 253402300799, 0, true},
		{"253402300800", 0, 0, false}, {"253402300800.0", 0, 0, false}, {"2534023008e2", 0, 0, false}, {"2.534023008e11", 0, 0, false},
		{"999999999999", 0, 0, false}, {"1e12", 0, 0, false}, {"1e400", 0, 0, false}, {"1e999999999", 0, 0, false},
		{"9223372036854775808", 0, 0, false}, {"18446744073709551616", 0, 0, false}, {"18446744073709551616.5", 0, 0, false},
		{"1e99999999999999999999999999999999", 0, 0, false}, {"1e-99999999999999999999999999999999", 0, 0, true},
		{"-0", 0, 0, true}, {"-0.0", 0, 0, true}, {"-0e99", 0, 0, true}, {"0e999999999999", 0, 0, true}, {"0.0e-5", 0, 0, true},
		{"-1", 0, 0, false}, {"-0.1", 0, 0, false}, {"-1e-999999999", 0, 0, false}, {"-1763800000", 0, 0, false},
		{"0." + strings.Repeat("0", 5000) + "17e5002", 17, 0, true}, {"17" + strings.Repeat("0", 5000) + "e-5000", 17, 0, true},
		{"0." + strings.Repeat("0", 5000) + "17e5014", 0, 0, false}, {strings.Repeat("9", 5000), 0, 0, false},
		{"null", 0, 0, false}, {"true", 0, 0, false}, {`"1763800000"`, 0, 0, false}, {"[]", 0, 0, false}, {"{}", 0, 0, false},
	}
	for _, test := range tests {
		sec, nsec, ok := number(t, test.text).Seconds()
		if ok != test.ok || ok && (sec != test.sec || nsec != test.nsec) {
			t.Errorf("Seconds(%.100s) = %d, %d, %v; want %d, %d, %v", test.text, sec, nsec, ok, test.sec, test.nsec, test.ok)
		}
	}
	if _, _, ok := (Value{}).Seconds(); ok {
		t.Error("the zero Value is a number")
	}
	if last := time.Unix(EndOfSeconds-1, 0).UTC(); last.Year() != 9999 || last.Add(time.Second).Year() != 10000 {
		t.Errorf("the last second is %v", last)
	}
}

func TestNumbersDoNotAllocate(t *testing.T) {
	v := number(t, "1763800000123.456e-3")
	if n := testing.AllocsPerRun(100, func() { v.Seconds(); v.Uint() }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// FuzzSeconds compares Seconds with exact arithmetic on fractions.
func FuzzSeconds(f *testing.F) {
	for _, seed := range []string{"0", "-0", "1763800000.5", "253402300799.9999999999", "1e12", "17638e5", "123456e-7", "0.001e3", "1e-30", "-1e-5"} {
		f.Add(seed)
	}
	end, billion := big.NewRat(EndOfSeconds, 1), big.NewInt(1e9)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := Parse([]byte(text))
		if err != nil || strings.TrimSpace(text) != text {
			return
		}
		sec, nsec, ok := v.Seconds()
		if e := strings.IndexAny(text, "eE"); v.Kind() != Number || e >= 0 && len(text)-e > 5 {
			if v.Kind() != Number && ok {
				t.Fatalf("%q is a time", text)
			}
			return // math/big would need too long for such an exponent
		}
		exact, _ := new(big.Rat).SetString(text)
		if wantOK := exact.Sign() >= 0 && exact.Cmp(end) < 0; ok != wantOK {
			t.Fatalf("Seconds(%s) is ok: %v", text, ok)
		}
		if !ok {
			return
		}
		nanos := new(big.Int).Mul(exact.Num(), billion)
		nanos.Div(nanos, exact.Denom())
		if got := new(big.Int).Add(new(big.Int).Mul(big.NewInt(sec), billion), big.NewInt(int64(nsec))); got.Cmp(nanos) != 0 {
			t.Fatalf("Seconds(%s) = %d, %d; want %v ns", text, sec, nsec, nanos)
		}
	})
}
