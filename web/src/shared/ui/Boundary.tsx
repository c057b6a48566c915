import { Component, type ReactNode } from "react";
import { Failed } from "./States";

/** What breaks in one part of the screen stays there, and says what to do. */
export class Boundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    return <Failed error={this.state.error} retry={() => location.reload()} />;
  }
}
