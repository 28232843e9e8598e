export type Schema = {
    $ref?: string;
    type?: string | string[];
    enum?: unknown[];
    anyOf?: Schema[];
    items?: Schema;
    properties?: Record<string, Schema>;
    required?: string[];
    description?: string;
    additionalProperties?: Schema | boolean;
    default?: unknown;
    title?: string;
};
/** @param {{components: {schemas: Record<string, Schema>}}} openapi */
export function render(openapi: {
    components: {
        schemas: Record<string, Schema>;
    };
}): string;
