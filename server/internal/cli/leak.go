package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// leak is a claim that looks as if it should not be in a token, whose payload everybody can read.
type leak struct {
	claim string // the path to it: "user.password"
	what  string
}

// String names the claim, never its value.
func (l leak) String() string {
	return fmt.Sprintf("claim %s looks like %s: whoever holds the token can read it", printable(l.claim), l.what)
}

// leakingWords give a name away wherever they stand as a word of it: db_password, clientSecret.
var leakingWords = map[string]string{
	"password": "a password", "passwd": "a password", "pwd": "a password", "passphrase": "a password", "passcode": "a password",
	"secret": "a secret", "secrets": "a secret", "mnemonic": "a secret", "otp": "a one-time code", "totp": "a secret",
	"ssn": "a social security number", "cvv": "a card code", "cvc": "a card code", "iban": "a bank account",
}

// leakingPhrases give a name away as words in a row: api_key, apiKey, x-api-key.
var leakingPhrases = map[string]string{
	"apikey": "an API key", "privatekey": "a private key", "accesskey": "an access key", "secretkey": "a secret",
	"encryptionkey": "a secret", "refreshtoken": "a token", "accesstoken": "a token", "sessiontoken": "a token",
	"socialsecurity": "a social security number", "creditcard": "a credit card", "cardnumber": "a credit card",
	"passportnumber": "a passport number", "bankaccount": "a bank account", "pincode": "a PIN",
}

// leakingValues give a value away whatever its name.
var leakingValues = []struct {
	pattern *regexp.Regexp
	what    string
}{
	{regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY`), "a private key"},
	{regexp.MustCompile(`^(sk_live_|rk_live_|ghp_|github_pat_|glpat-|xox[bp]-|AKIA[0-9A-Z]{16}$|jrt_)`), "an API key or token"},
	{regexp.MustCompile(`^[0-9]{3}-[0-9]{2}-[0-9]{4}$`), "a social security number"},
}

// findLeaks looks through the members of a payload.
func findLeaks(members []member) []leak {
	var found []leak
	for _, m := range members {
		decoder := json.NewDecoder(bytes.NewReader(m.value))
		decoder.UseNumber()
		var value any
		if decoder.Decode(&value) == nil {
			found = append(found, leaksNamed(m.name, m.name, value)...)
		}
	}
	return found
}

// leaksNamed judges a claim by its name, and if that says nothing, by what it holds.
func leaksNamed(path, name string, value any) []leak {
	if what := leakingName(name); what != "" && value != nil && value != "" {
		return []leak{{path, what}}
	}
	return leaksIn(path, value)
}

func leaksIn(path string, value any) []leak {
	var found []leak
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			found = append(found, leaksNamed(path+"."+name, name, value[name])...)
		}
	case []any:
		for i, element := range value {
			found = append(found, leaksIn(fmt.Sprintf("%s[%d]", path, i), element)...)
		}
	case string:
		if what := leakingValue(value); what != "" {
			found = append(found, leak{path, what})
		}
	case json.Number:
		if isCardNumber(value.String()) {
			found = append(found, leak{path, "a credit card number"})
		}
	}
	return found
}

func leakingName(name string) string {
	words := nameWords(name)
	for i, word := range words {
		if what := leakingWords[word]; what != "" {
			return what
		}
		if what := leakingPhrases[word]; what != "" {
			return what
		}
		if i > 0 && leakingPhrases[words[i-1]+word] != "" {
			return leakingPhrases[words[i-1]+word]
		}
	}
	return ""
}

// nameWords splits snake_case, kebab-case and camelCase into words in lower case.
func nameWords(name string) []string {
	var spaced strings.Builder
	before := ' '
	for _, r := range name {
		if unicode.IsUpper(r) && unicode.IsLower(before) {
			spaced.WriteRune(' ')
		}
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			r = ' '
		}
		spaced.WriteRune(unicode.ToLower(r))
		before = r
	}
	return strings.Fields(spaced.String())
}

func leakingValue(value string) string {
	for _, known := range leakingValues {
		if known.pattern.MatchString(value) {
			return known.what
		}
	}
	if isCardNumber(value) {
		return "a credit card number"
	}
	return ""
}

// isCardNumber reports 13 to 19 digits, as cards print them, whose check digit is right (ISO/IEC 7812-1).
func isCardNumber(value string) bool {
	digits := strings.NewReplacer(" ", "", "-", "").Replace(value)
	if len(digits) < 13 || len(digits) > 19 || strings.Trim(digits, "0123456789") != "" || !strings.ContainsAny(digits[:1], "3456") {
		return false
	}
	sum := 0
	for i := range len(digits) {
		digit := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			digit = digit*2 - digit/5*9 // doubled, and its digits summed
		}
		sum += digit
	}
	return sum%10 == 0
}
