// Starts Swagger UI on the description that this server carries.
window.addEventListener("load", () => {
  window.SwaggerUIBundle({
    url: "openapi.yaml",
    dom_id: "#swagger-ui",
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    // No third party is asked whether the description is valid.
    validatorUrl: null,
    // What is tried out goes to the server that shows the page, whatever addresses the description names: the policy allows no other.
    requestInterceptor: (request) => {
      const { pathname, search } = new URL(request.url, location.href);
      request.url = location.origin + pathname + search;
      return request;
    },
  });
});
