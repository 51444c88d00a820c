/** A sensor as the registry has it. */
export interface Sensor {
  sensor_id: string;
  name: string;
  metrics: string[];
  location: { lon: number; lat: number } | null;
  area_id: string | null;
  retired: boolean;
  updated_at: string;
}
