import "server-only";

/** Ends a question that the Go server passes on to MLflow. MLflow reads a long history from its database, which can take seconds. */
export const MLFLOW_TIMEOUT_MS = 20_000;
