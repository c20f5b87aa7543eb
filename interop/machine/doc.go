// Package machine is what tests ask of the machine that they run on: programs that are installed, the jot command
// built, an address to listen on.
package machine
