export function withWidgets(text: string, deployment: string | undefined): string;
