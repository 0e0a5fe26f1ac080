export function withCosts(page: string, models: readonly { readonly name: string; readonly printed: string }[]): string;
