package accounts

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"
)

// commonWords are what people's passwords are made of most, one a line: written for this program, and copied from no
// list.
//
//go:embed common.txt
var commonWords string

// The cost of a password is about how many bits it takes to guess, by whoever knows how people make passwords: as the
// cheapest way to put it together of words, walks over the keyboard, sequences, years and what it has said before, and
// of characters where nothing else fits.
const (
	minCost = 32 // what an account's password must have

	costWord      = 9 // one of a few hundred, in lower or upper case, with digits and signs for letters
	costOwn       = 3 // of the account or the server
	costWalk      = 7
	costSequence  = 5
	costRepeat    = 5
	costYear      = 6
	costDigit     = 3
	costCharacter = 5

	minWalk     = 3
	minSequence = 3
	minRepeat   = 3
	maxJudged   = 128 // characters: what follows only adds to the cost
)

var common = sync.OnceValue(func() map[string]int {
	costs := make(map[string]int)
	for word := range strings.Lines(commonWords) {
		costs[strings.TrimSpace(word)] = costWord
	}
	return costs
})

// longestWord bounds how far a word is looked for.
const longestWord = 32

// unleet are the letters that a digit or sign is written for.
var unleet = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i")

// isCommon reports whether a password is among those that are guessed first, by anybody or by whoever knows the
// account's own words.
func isCommon(password string, own []string) bool {
	text := []rune(strings.ToLower(password))
	text = text[:min(len(text), maxJudged)]
	known := make(map[string]int, len(own))
	for _, word := range own {
		known[word] = costOwn
	}
	// least[n] is the cost of what follows the first n characters.
	least := make([]int, len(text)+1)
	for at := len(text) - 1; at >= 0; at-- {
		least[at] = costOf(text[at]) + least[at+1]
		consider := func(length, cost int) { least[at] = min(least[at], cost+least[at+length]) }
		for length := 2; length <= min(longestWord, len(text)-at); length++ {
			if cost, found := wordCost(text[at:at+length], known); found {
				consider(length, cost)
			}
		}
		for length := minWalk; length <= walk(text[at:]); length++ {
			consider(length, costWalk)
		}
		for length := minSequence; length <= sequence(text[at:]); length++ {
			consider(length, costSequence)
		}
		for length := minRepeat; length <= repeat(text, at); length++ {
			consider(length, costRepeat)
		}
		if isYear(text[at:]) {
			consider(4, costYear)
		}
	}
	return least[0] < minCost
}

func costOf(r rune) int {
	if '0' <= r && r <= '9' {
		return costDigit
	}
	return costCharacter
}

func wordCost(text []rune, own map[string]int) (cost int, found bool) {
	for _, word := range []string{string(text), unleet.Replace(string(text))} {
		if cost, found := own[word]; found {
			return cost, true
		}
		if cost, found := common()[word]; found {
			return cost, true
		}
	}
	return 0, false
}

// keyboard is where the keys of the layout are that others derive from, row by row, each shifted to the right of the
// one above.
var keyboard = [...]string{"1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./"}

// walk is how many characters at the beginning of a text are on keys each of which touches the one before.
func walk(text []rune) int {
	length := 1
	for length < len(text) && touch(text[length-1], text[length]) {
		length++
	}
	return length
}

func touch(a, b rune) bool {
	rowA, columnA := key(a)
	rowB, columnB := key(b)
	if rowA < 0 || rowB < 0 {
		return false
	}
	down, right := rowB-rowA, columnB-columnA
	return max(down, -down) <= 1 && max(right, -right) <= 1
}

func key(r rune) (row, column int) {
	for row, keys := range keyboard {
		if column := strings.IndexRune(keys, r); column >= 0 {
			return row, column
		}
	}
	return -1, -1
}

// sequence is how many characters at the beginning of a text go up by one, go down by one, or stay.
func sequence(text []rune) int {
	if len(text) < 2 {
		return len(text)
	}
	step, length := text[1]-text[0], 2
	if step < -1 || step > 1 {
		return 1
	}
	for length < len(text) && text[length]-text[length-1] == step {
		length++
	}
	return length
}

// repeat is how many characters from a place on stand in the text before it too.
func repeat(text []rune, at int) int {
	longest := 0
	for from := range at {
		length := 0
		for from+length < at && at+length < len(text) && text[from+length] == text[at+length] {
			length++
		}
		longest = max(longest, length)
	}
	return longest
}

// isYear reports whether a text begins with a year that people remember.
func isYear(text []rune) bool {
	if len(text) < 4 {
		return false
	}
	century := string(text[:2])
	return (century == "19" || century == "20") && '0' <= text[2] && text[2] <= '9' && '0' <= text[3] && text[3] <= '9'
}

// minOwn is the length from which a password must not hold a word of the account at all: shorter ones stand in many
// other words.
const minOwn = 4

// own are the texts of an account that its password must not be made of.
func (a Account) own() []string { return []string{a.Name, a.Email.Key} }

// ownWords are what everybody knows who knows an account: its name and address, whole and in parts.
func ownWords(texts ...string) (whole, parts []string) {
	for _, text := range texts {
		if text = strings.ToLower(text); text == "" {
			continue
		}
		local, _, _ := strings.Cut(text, "@")
		whole = append(whole, text, local)
		for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("._-+@", r) }) {
			if utf8.RuneCountInString(part) >= 2 {
				parts = append(parts, part)
			}
		}
	}
	return whole, parts
}

// holdsOwn reports whether a password has one of these words in it.
func holdsOwn(password string, whole []string) bool {
	password = strings.ToLower(password)
	for _, word := range whole {
		if utf8.RuneCountInString(word) >= minOwn && strings.Contains(password, word) {
			return true
		}
	}
	return false
}
