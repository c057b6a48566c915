export function PostsMenu() {
  return null;
}
