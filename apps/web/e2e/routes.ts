/** The modes of the inference page. */
export const modeRoutes = ["/", "/race", "/difference", "/draw"] as const;

/** Every page of the product. */
export const routes = [...modeRoutes, "/models", "/leaderboard", "/status"] as const;
