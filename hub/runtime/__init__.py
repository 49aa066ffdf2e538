"""Runtime: the processes that carry facts; the only place that knows faust and the consumers."""
