package deployed

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// manifest is deploy/kubernetes.yaml as the API server reads it.
type manifest struct {
	configuration *core.ConfigMap
	deployment    *apps.Deployment
	service       *core.Service
	budget        *policy.PodDisruptionBudget
	network       *networking.NetworkPolicy
}

// readManifest is strict: a field that Kubernetes doesn't know, or has twice, is an error.
func readManifest(t *testing.T) (m manifest) {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{core.AddToScheme, apps.AddToScheme, policy.AddToScheme, networking.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	text, err := os.ReadFile(filepath.Join(repository, "deploy", "kubernetes.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		object, kind, err := decoder.Decode([]byte(document), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		switch object := object.(type) {
		case *core.ConfigMap:
			m.configuration = object
		case *apps.Deployment:
			m.deployment = object
		case *core.Service:
			m.service = object
		case *policy.PodDisruptionBudget:
			m.budget = object
		case *networking.NetworkPolicy:
			m.network = object
		default:
			t.Errorf("a %s, of which this test knows nothing", kind.Kind)
		}
	}
	if m.configuration == nil || m.deployment == nil || m.service == nil || m.budget == nil || m.network == nil {
		t.Fatalf("something is missing: %+v", m)
	}
	return m
}

func (m manifest) pod() core.PodSpec            { return m.deployment.Spec.Template.Spec }
func (m manifest) container() core.Container    { return m.deployment.Spec.Template.Spec.Containers[0] }
func (m manifest) podLabels() map[string]string { return m.deployment.Spec.Template.Labels }

// port is the number of one of the container's ports.
func (m manifest) port(t *testing.T, named intstr.IntOrString) int32 {
	t.Helper()
	for _, p := range m.container().Ports {
		if p.Name == named.String() || p.ContainerPort == named.IntVal {
			return p.ContainerPort
		}
	}
	t.Errorf("the container has no port %s", named.String())
	return 0
}

// TestManifest: what the objects say of each other is true, and the pod may do nothing that it needn't.
func TestManifest(t *testing.T) {
	m := readManifest(t)
	for name, selector := range map[string]*meta.LabelSelector{
		"deployment": m.deployment.Spec.Selector, "service": {MatchLabels: m.service.Spec.Selector}, "disruption budget": m.budget.Spec.Selector,
		"network policy": &m.network.Spec.PodSelector, "spread": m.pod().TopologySpreadConstraints[0].LabelSelector,
	} {
		s, err := meta.LabelSelectorAsSelector(selector)
		if err != nil || s.Empty() || !s.Matches(labels.Set(m.podLabels())) {
			t.Errorf("the %s selects %v, not %v: %v", name, s, m.podLabels(), err)
		}
	}
	m.port(t, m.service.Spec.Ports[0].TargetPort)
	var open []int32
	for _, rule := range m.network.Spec.Ingress {
		for _, p := range rule.Ports {
			open = append(open, m.port(t, *p.Port))
		}
		if len(rule.From) == 0 {
			t.Error("the network policy lets everybody in")
		}
	}
	if len(open) != len(m.container().Ports) {
		t.Errorf("the network policy speaks of %v", open)
	}
	if scraped := m.deployment.Spec.Template.Annotations["prometheus.io/port"]; scraped != fmt.Sprint(m.port(t, intstr.FromString("admin"))) {
		t.Errorf("Prometheus asks port %s", scraped)
	}
	if *m.deployment.Spec.Replicas <= m.budget.Spec.MinAvailable.IntVal {
		t.Error("no node could ever be drained")
	}
	checkRights(t, m)
}

func checkRights(t *testing.T, m manifest) {
	t.Helper()
	pod, c := m.pod(), m.container()
	if *pod.AutomountServiceAccountToken || *pod.EnableServiceLinks || !*pod.SecurityContext.RunAsNonRoot || pod.SecurityContext.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault {
		t.Error("the pod has more than it needs")
	}
	if s := c.SecurityContext; *s.AllowPrivilegeEscalation || !*s.ReadOnlyRootFilesystem || !slices.Equal(s.Capabilities.Drop, []core.Capability{"ALL"}) || len(s.Capabilities.Add) > 0 {
		t.Errorf("the container has more rights than it needs: %+v", s)
	}
	settings := m.settings(t)
	drain, err := time.ParseDuration(settings.Drain)
	if err != nil {
		t.Fatal(err)
	}
	// The server drains, and gives requests 10 seconds and its database a moment.
	if grace := time.Duration(*pod.TerminationGracePeriodSeconds) * time.Second; grace < drain+15*time.Second {
		t.Errorf("a pod that drains for %v is killed after %v", drain, grace)
	}
	if unready := time.Duration(c.ReadinessProbe.PeriodSeconds) * time.Second; drain <= unready {
		t.Errorf("a pod that ends is asked every %v, and drains for %v: it would be found out too late", unready, drain)
	}
}

// settings are those of the configuration that the manifest has to agree with.
type settings struct {
	Listen      string `toml:"listen"`
	AdminListen string `toml:"admin_listen"`
	Drain       string `toml:"drain"`
}

func (m manifest) settings(t *testing.T) (s settings) {
	t.Helper()
	if names := slices.Collect(maps.Keys(m.configuration.Data)); len(names) != 1 {
		t.Fatalf("the configuration has %v", names)
	}
	for _, text := range m.configuration.Data {
		if _, err := toml.Decode(text, &s); err != nil {
			t.Fatal(err)
		}
	}
	for name, address := range map[string]string{"http": s.Listen, "admin": s.AdminListen} {
		if want := fmt.Sprint(":", m.port(t, intstr.FromString(name))); address != want {
			t.Errorf("the port %s is %s, and the server listens on %s", name, want, address)
		}
	}
	return s
}
