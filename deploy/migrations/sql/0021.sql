-- the speed at which traffic flows freely past each sensor
CREATE TABLE ops.free_flow (
	sensor_id TEXT NOT NULL,
	kmh DOUBLE PRECISION NOT NULL,
	hours INTEGER NOT NULL,
	learned_at TIMESTAMP WITH TIME ZONE NOT NULL,
	PRIMARY KEY (sensor_id)
);
