package measure

import (
	"fmt"
	"runtime"
	"time"
)

// Circumstances say when, on what and with which Go was measured.
type Circumstances struct {
	Date      string `json:"date"`
	Processor string `json:"processor"`
	Cores     int    `json:"cores"`
	Platform  string `json:"platform"`
	Go        string `json:"go"`
}

// Here are the circumstances of this process, now.
func Here() Circumstances {
	return Circumstances{time.Now().Format(time.DateOnly), processor(), runtime.NumCPU(), runtime.GOOS + "/" + runtime.GOARCH, runtime.Version()}
}

func (c Circumstances) String() string {
	return fmt.Sprintf("%s, %s, %d cores, %s, %s", c.Date, c.Processor, c.Cores, c.Platform, c.Go)
}
