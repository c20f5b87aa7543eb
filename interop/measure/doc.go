// Package measure is what the programs that measure share: the CPU's time and model, medians, turns, a progress line,
// and a report with its place in a document.
package measure
