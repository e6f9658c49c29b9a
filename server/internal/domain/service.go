package domain

import "time"

// ServiceState says whether a service that the server uses can be used.
type ServiceState string

// The service states.
const (
	ServiceUp            ServiceState = "up"
	ServiceAway          ServiceState = "away"
	ServicePreparing     ServiceState = "preparing" // it is being installed or started
	ServiceNotConfigured ServiceState = "not_configured"
)

// ServiceStatus is the state of a service beside the server: a trainer, or MLflow.
type ServiceStatus struct {
	Name     string // "trainer", "trainer-2", …, "mlflow"
	State    ServiceState
	Message  string   // what it waits for or what is wrong, and what to do; empty when up. It holds no address.
	Progress *float64 // 0–1 while it is being prepared; nil when unknown
	Since    time.Time
}

// ServiceReporter tells how the services of one kind are. It answers at once, from what was seen last, and asks nobody.
type ServiceReporter interface {
	ServiceStatuses() []ServiceStatus
}

// Preparation is what the installer says of a service that is not there yet.
type Preparation struct {
	Message  string
	Progress *float64 // 0–1; nil when unknown
	Failed   bool     // nothing is done any more until the next start; Message says why
}

// Preparations tells which services are being installed or started. A file that `make run` keeps implements it.
type Preparations interface {
	// Preparation returns what is said of the service, "trainer" or "mlflow"; false when nothing is being prepared.
	Preparation(service string) (Preparation, bool)
}
