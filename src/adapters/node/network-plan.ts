export interface NetworkPlan { name?: string }
export function networkPlan(_text: string): NetworkPlan { return {}; }
