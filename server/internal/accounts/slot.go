package accounts

import (
	"encoding/binary"
	"net/netip"
)

// slotBits bounds the table of throttles: each kind has so many slots that two names rarely share one, and no attacker
// can make more rows than there are slots, however many names and addresses it has. Which names share a slot depends on
// a key, so it can't be aimed at.
const slotBits = 20

// kind says what a slot counts.
type kind int64

const (
	byAccount     kind = 1 + iota // logins under one name, whether or not it exists
	byDevice                      // logins to one account from one known device
	byAddress                     // logins from an IPv4 address, or an IPv6 /64, which is one subscriber's
	byNetwork                     // logins from an IPv4 /24 or an IPv6 /48
	byChange                      // changes of one account's password
	byMail                        // letters to one mailbox
	byFactor                      // codes of one account's second factor
	byUserCode                    // one subject's guesses at the codes that devices show
	byDeviceStart                 // devices that ask for a code, from an address or a network as above
	byNotice                      // letters of one kind that tell an account's owner of changes
)

const slotPurpose = "throttle slot"

// slot returns the slot of one name, device or network. The texts are authenticated under a key that isn't in the
// database, so that its rows tell nobody who logs in from where.
func (a *Accounts) slot(k kind, texts ...string) int64 {
	message := []byte{byte(k)}
	for _, text := range texts {
		message = binary.BigEndian.AppendUint32(message, uint32(len(text)))
		message = append(message, text...)
	}
	_, mac := a.issuer.MAC(slotPurpose, message)
	return int64(k)<<slotBits | int64(binary.BigEndian.Uint32(mac)&(1<<slotBits-1))
}

// limit is a slot with the schedule that holds for it.
type limit struct {
	slot     int64
	schedule Schedule
}

// addressLimits are those of the address that a request comes from. What isn't an IP address, such as a Unix socket, is
// throttled under its text.
func (a *Accounts) addressLimits(address string) []limit {
	return a.limitsOf(address, byAddress, byNetwork)
}

// limitsOf are the limits of an address that are counted in slots of other kinds.
func (a *Accounts) limitsOf(address string, one, around kind) []limit {
	host, network := neighbours(address)
	limits := []limit{{a.slot(one, host), a.config.PerAddress}}
	if network != "" {
		limits = append(limits, limit{a.slot(around, network), a.config.PerNetwork})
	}
	return limits
}

// neighbours returns what one subscriber has of an address, and the network around it; "" where there is none.
func neighbours(address string) (host, network string) {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address, ""
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		return prefix(ip, 64), prefix(ip, 48)
	}
	return prefix(ip, 32), prefix(ip, 24)
}

// strangerFrom is whoever comes from an address, at the gate.
func strangerFrom(address string) caller {
	host, _ := neighbours(address)
	return caller{from: host}
}

func prefix(ip netip.Addr, bits int) string {
	return netip.PrefixFrom(ip, bits).Masked().String()
}
