package measure

import (
	"cmp"
	"slices"
)

// Median sorts the values and returns the one in the middle, or what lies between the two there. There must be one.
func Median(values []float64) float64 {
	slices.Sort(values)
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}

// Quantile returns the least of the sorted values that a share of them, from 0 to 1, doesn't exceed; the zero value
// where there are none.
func Quantile[T cmp.Ordered](sorted []T, share float64) T {
	if len(sorted) == 0 {
		var none T
		return none
	}
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}
