export function TourOffer() {
  return null;
}
