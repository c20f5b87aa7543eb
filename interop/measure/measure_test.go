package measure

import "testing"

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{{[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 100, 2}, 3}} {
		if got := Median(test.values); got != test.want {
			t.Errorf("the median of %v is %v", test.values, got)
		}
	}
}

func TestQuantile(t *testing.T) {
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = i + 1
	}
	for _, test := range []struct {
		values []int
		share  float64
		want   int
	}{{nil, 0.5, 0}, {[]int{7}, 0.99, 7}, {hundred, 0, 1}, {hundred, 0.99, 100}, {hundred, 1, 100}, {hundred[:10], 0.5, 6}} {
		if got := Quantile(test.values, test.share); got != test.want {
			t.Errorf("the quantile %v of %d values is %d, want %d", test.share, len(test.values), got, test.want)
		}
	}
}

func TestReplaceBetween(t *testing.T) {
	got, err := replaceBetween("a\n"+startMarker+"\nold\n"+endMarker+"\nb\n", "new\n")
	if want := "a\n" + startMarker + "\nnew\n" + endMarker + "\nb\n"; err != nil || got != want {
		t.Errorf("%q, %v", got, err)
	}
	for _, document := range []string{"", startMarker, endMarker + startMarker, startMarker + endMarker + endMarker} {
		if _, err := replaceBetween(document, "new\n"); err == nil {
			t.Errorf("%q is accepted", document)
		}
	}
}
