// Package measure is what the programs that measure share: the CPU's time and model, medians, a progress line, and the place of a table in a document.
package measure
